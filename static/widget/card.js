/* The order card under a reply: what it is, when it comes, how far it got. Every word comes from the server. */

import { h, icon, link, webAddress } from './dom.js';

const STEP_WORDS = { done: 'Done', now: 'Now', expected: 'Expected' };

export function orderCard(card) {
  const { number, status, items = [], total, window, likely, promised, chance } = card;
  // what is expected stands above the steps already, where there is an estimate
  const steps = (card.steps ?? []).filter(({ state }) => state !== 'expected' || !(window || likely));
  const tracking = webAddress(card.tracking_link ?? '');
  return h(
    'section',
    { class: 'card', 'aria-label': `Order ${number}` },
    h('div', { class: 'card-head' }, h('h3', {}, number), status && h('span', { class: 'status' }, status)),
    items.length ? h('p', { class: 'items', dir: 'auto' }, items.map(itemText).join(', ')) : null,
    when(window, likely, promised, chance),
    steps.length ? h('ol', { class: 'steps' }, ...steps.map(step)) : null,
    total || tracking
      ? h('div', { class: 'card-foot' },
          total ? h('span', {}, `Total ${total}`) : h('span'),
          tracking ? link(tracking, 'Follow the parcel', icon('out')) : null)
      : null,
  );
}

function itemText({ name, quantity }) {
  return quantity > 1 ? `${quantity} × ${name}` : name;
}

function when(window, likely, promised, chance) {
  if (!window && !likely && !promised) return null;
  const days = window || likely;
  return h(
    'div',
    { class: 'when-due' },
    days ? h('p', { class: 'label' }, 'Expected') : null,
    days ? h('p', { class: 'days' }, days) : null,
    likely && likely !== days ? h('p', { class: 'likely' }, 'Most likely ', h('strong', {}, likely)) : null,
    promised ? h('p', { class: 'promised' }, `Promised for ${promised}`) : null,
    promised && chance ? h('p', { class: 'promised' }, `Chance of keeping to it: ${chance}`) : null,
  );
}

function step({ label, day, state }) {
  return h(
    'li',
    { class: state in STEP_WORDS ? state : 'done', 'aria-current': state === 'now' && 'step' },
    h('span', { class: 'step-label' }, label),
    h('span', { class: 'step-day' }, day ?? ''),
    h('span', { class: 'unseen' }, `. ${STEP_WORDS[state] ?? ''}`),
  );
}
