/* The log of messages. Order is by sequence number; own messages on their way come after those, and a reply
 * being written comes last. A streaming reply is hidden from screen readers and announced once, when whole. */

import { orderCard } from './card.js';
import { h, withLinks } from './dom.js';
import { Reveal } from './reveal.js';

const PENDING = 1e9;
const STREAMING = 2e9;
const TYPING = 3e9;
const NEW_GROUP_AFTER = 15 * 60_000;
const TYPING_LASTS = 6_000;
const NEAR_END = 80; // pixels
const MARGIN = 12;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
});

export class Thread {
  /** `on`: {reply(text, value), retract(text), away(isAway)}; `still`: whether nothing should move. */
  constructor(log, { on, still }) {
    Object.assign(this, { log, on, still });
    this.keys = new WeakMap();
    this.own = new Map(); // message id → element
    this.streams = new Map(); // reply_to → {element, reveal}
    this.queued = 0;
    this.atEnd = true;
    log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(log);
  }

  greet(text, starters) {
    const greeting = this.#bubble({ author: 'bot', text, quick_replies: starters.map((each) => ({ text: each, value: '' })) });
    greeting.classList.add('greeting');
    this.#place(greeting, 0);
  }

  add(message) {
    const element = this.#bubble(message);
    if (message.author !== 'customer') this.stopTyping();
    if (message.id) this.own.set(message.id, element);
    if (message.seq === null) element.dataset.state = 'sending';
    this.#place(element, message.seq ?? PENDING + this.queued++);
    if (!this.atEnd) this.on.away(true);
  }

  sent(id, seq) {
    const element = this.own.get(id);
    if (!element) return;
    element.dataset.state = 'sent';
    this.#place(element, seq);
  }

  /** `isBack`: the customer has the text in hand again, so the bubble may go when they send something. */
  refused(id, why, isBack) {
    const element = this.own.get(id);
    if (!element) return;
    element.dataset.state = 'refused';
    element.classList.toggle('back', isBack);
    element.append(h('p', { class: 'refusal', role: 'alert' }, why));
    this.toEnd();
  }

  dropRefused() {
    for (const element of this.log.querySelectorAll('[data-state=refused].back')) element.remove();
  }

  streamed(replyTo, text) {
    this.stopTyping();
    if (!this.streams.has(replyTo)) this.#startStream(replyTo);
    this.streams.get(replyTo).reveal.add(text);
  }

  restarted(replyTo) {
    this.streams.get(replyTo)?.reveal.clear();
  }

  /** The whole reply takes the place of the streamed one, once that has been read out to its end. */
  finished(replyTo, message) {
    const stream = this.streams.get(replyTo);
    if (!stream) return this.add(message);
    this.streams.delete(replyTo);
    this.#place(stream.element, message.seq);
    const { reveal } = stream;
    if (message.text.startsWith(reveal.text)) reveal.add(message.text.slice(reveal.text.length));
    else reveal.clear();
    reveal.finish(() => {
      const whole = this.#bubble(message);
      whole.classList.add('settled');
      this.keys.set(whole, message.seq);
      stream.element.replaceWith(whole);
      if (this.atEnd) this.#bringIn(whole);
      this.#arrange();
    });
  }

  abandoned(replyTo) {
    this.streams.get(replyTo)?.element.remove();
    this.streams.delete(replyTo);
  }

  typing(who) {
    clearTimeout(this.typingEnds);
    if (this.streams.size) return;
    if (!this.dots) {
      this.dots = h('div', { class: 'message bot typing' }, h('div', { class: 'text' }, h('i'), h('i'), h('i'),
        h('span', { class: 'unseen' }, `${who} is writing`)));
      this.#place(this.dots, TYPING);
    }
    this.typingEnds = setTimeout(() => this.stopTyping(), TYPING_LASTS);
  }

  stopTyping() {
    clearTimeout(this.typingEnds);
    this.dots?.remove();
    this.dots = null;
  }

  clear() {
    this.stopTyping();
    for (const element of [...this.log.children]) if (this.keys.get(element) !== 0) element.remove();
    this.own.clear();
    this.streams.clear();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  #startStream(replyTo) {
    const text = h('div', { class: 'text', dir: 'auto' });
    const element = h('div', { class: 'message bot streaming', 'aria-hidden': 'true' }, text);
    const reveal = new Reveal(text, { still: this.still, onGrow: () => this.atEnd && this.toEnd() });
    this.streams.set(replyTo, { element, reveal });
    this.#place(element, STREAMING + replyTo);
  }

  #bubble({ seq, author, name, text, at, quick_replies: replies = [], card, value }) {
    const moment = at ? new Date(at) : null;
    const element = h(
      'div',
      { class: `message ${author}`, 'data-seq': seq ?? null },
      moment && h('time', { datetime: moment.toISOString(), hidden: true }, stamp(moment)),
      h('span', { class: author === 'staff' ? 'name' : 'unseen' }, speaker(author, name)),
      h('div', { class: 'text', dir: 'auto' }, ...(author === 'customer' ? [text] : withLinks(text))),
      card?.kind === 'order' ? orderCard(card) : null,
      replies.length ? this.#replies(replies) : null,
    );
    if (value) element.dataset.value = value;
    return element;
  }

  #replies(replies) {
    return h('div', { class: 'replies', role: 'group', 'aria-label': 'Suggested replies' },
      ...replies.map(({ text, value }) =>
        h('button', { type: 'button', dir: 'auto', onclick: () => this.on.reply(text, value ?? '') }, text)));
  }

  #place(element, key) {
    const isOwn = key >= PENDING && key < STREAMING;
    this.keys.set(element, key);
    if (key && key < PENDING) element.dataset.seq = key;
    let before = this.log.lastElementChild;
    while (before && (before === element || this.keys.get(before) > key)) before = before.previousElementSibling;
    // moving an element restarts its animations and its announcement, so only move what is out of place
    const inPlace = before ? before.nextElementSibling === element : this.log.firstElementChild === element;
    if (!inPlace) before ? before.after(element) : this.log.prepend(element);
    this.#arrange();
    if (isOwn) this.toEnd();
    else if (this.atEnd) this.#bringIn(element);
  }

  /** To the end, but not past the beginning of a reply that is taller than the log. */
  #bringIn(element) {
    const isTall = element.offsetHeight + MARGIN > this.log.clientHeight;
    if (isTall && authorOf(element) !== 'customer') this.log.scrollTop = element.offsetTop - MARGIN;
    else this.toEnd();
  }

  /** Groups, times and suggestions depend on neighbours; once for all changes of the same moment. */
  #arrange() {
    if (this.arranging) return;
    this.arranging = true;
    queueMicrotask(() => {
      this.arranging = false;
      let before = null;
      const messages = [...this.log.children].filter((element) => element !== this.dots);
      const last = messages.at(-1);
      for (const element of messages) {
        const apart = gap(before, element) > NEW_GROUP_AFTER;
        element.querySelector('time')?.toggleAttribute('hidden', !apart);
        element.classList.toggle('follows', Boolean(before) && !apart && authorOf(before) === authorOf(element));
        element.classList.toggle('last', element === last);
        if (element !== last && this.keys.get(element) !== 0) element.querySelector('.replies')?.remove();
        before = element;
      }
      const greeting = messages.find((element) => this.keys.get(element) === 0);
      greeting?.querySelector('.replies')?.toggleAttribute('hidden', greeting !== last);
      if (this.atEnd && last) this.#bringIn(last);
    });
  }

  #scrolled() {
    this.atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END;
    if (this.atEnd) this.on.away(false);
  }
}

function speaker(author, name) {
  return { customer: 'You: ', bot: 'Assistant: ', staff: name || 'A colleague', system: '' }[author] ?? '';
}

function stamp(moment) {
  const today = new Date().toDateString() === moment.toDateString();
  return (today ? clock : dayAndClock).format(moment);
}

function authorOf(element) {
  return ['customer', 'bot', 'staff', 'system'].find((author) => element.classList.contains(author));
}

/** Milliseconds between two messages; the first dated one counts as far from whatever came before. */
function gap(before, element) {
  const at = (each) => each?.querySelector('time')?.dateTime;
  if (!at(element)) return 0;
  return at(before) ? new Date(at(element)) - new Date(at(before)) : Infinity;
}
