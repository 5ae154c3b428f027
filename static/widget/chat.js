/* <doorstep-chat>: the launcher, the panel and what the keyboard does in them. */

import { palette } from './colour.js';
import { Conversation } from './conversation.js';
import { h, icon } from './dom.js';
import { Store } from './store.js';
import { Thread } from './thread.js';

const MOST_CHARS = 4_000; // MESSAGE_MAX_CHARS of the server
const COUNT_FROM = 3_600;
const BANNER_AFTER = 2_000;
const STARTERS = ['Where is my order?', 'I want to return something', 'Change my address'];

const phone = matchMedia('(max-width: 479px), (max-height: 419px)');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const touch = matchMedia('(pointer: coarse)');

class DoorstepChat extends HTMLElement {
  /** Called once, by `mount`. */
  build(settings, css) {
    this.settings = settings;
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet]; // allowed under a content security policy that forbids inline styles
    this.#draw(root);
    for (const [name, value] of Object.entries(palette(settings.accent))) this.frame.style.setProperty(name, value);

    this.thread = new Thread(this.log, {
      still: () => calm.matches || document.hidden || !this.isOpen,
      on: {
        reply: (text, value) => this.#pick(text, value),
        away: (isAway) => this.newer.toggleAttribute('hidden', !isAway),
      },
    });
    this.thread.greet(settings.greeting, STARTERS);
    this.store = new Store(settings.url);
    this.conversation = new Conversation(settings, this.store, this.#view());
    for (const message of this.conversation.pending.values()) {
      this.thread.add({ ...message, author: 'customer', seq: null });
    }
    this.#listen();
    if (this.conversation.exists) this.conversation.connect();
    if (this.store.panelIsOpen && !phone.matches) this.#show();
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  /** Opens the panel, with `text` in the composer for the customer to send or change. */
  open(text = '') {
    if (!this.isOpen) {
      this.opener = document.activeElement === this ? this.launcher : document.activeElement;
      this.#show();
    }
    if (text && !this.input.value.trim()) {
      this.input.value = text;
      this.#measure();
    }
    (touch.matches || this.composer.hidden ? this.panel : this.input).focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    const hadFocus = document.activeElement === this;
    this.panel.hidden = true;
    this.launcher.setAttribute('aria-expanded', 'false');
    this.store.panelIsOpen = false;
    this.#fit();
    this.#badge();
    if (!hadFocus) return;
    (this.opener?.isConnected && this.opener !== document.body ? this.opener : this.launcher).focus();
  }

  #show() {
    this.panel.hidden = false;
    this.launcher.setAttribute('aria-expanded', 'true');
    this.store.panelIsOpen = true;
    this.#fit();
    this.thread.toEnd();
    this.conversation.connect();
    this.conversation.read();
    this.#badge();
    this.#banner();
  }

  #draw(root) {
    this.heading = h('h2', { id: 'title' }, this.settings.title || 'Help');
    this.stateLine = h('p', { class: 'state', role: 'status' }, 'Assistant');
    this.banner = h('div', { class: 'banner', role: 'status' });
    this.log = h('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-relevant': 'additions', 'aria-label': 'Conversation', tabindex: '0' });
    this.newer = h('button', { type: 'button', class: 'newer', hidden: true, onclick: () => this.#toNewest() }, 'New messages', icon('down'));
    this.notice = h('p', { class: 'notice', role: 'alert', hidden: true });
    this.input = h('textarea', { rows: '1', 'aria-label': 'Your message', placeholder: 'Write a message', enterkeyhint: 'send', autocomplete: 'off', dir: 'auto', 'aria-describedby': 'count' });
    this.sendButton = h('button', { class: 'send', 'aria-label': 'Send' }, icon('send'));
    this.composer = h('form', { class: 'composer' }, this.input, this.sendButton);
    this.human = h('button', { type: 'button', class: 'human', onclick: () => this.#pick('I’d like to talk to a person', 'human') }, icon('person'), 'Talk to a person');
    this.count = h('span', { id: 'count', class: 'count', 'aria-live': 'polite' });
    this.ended = h('div', { class: 'ended', hidden: true }, h('p', {}, 'This conversation is closed.'),
      h('button', { type: 'button', onclick: () => this.#anew() }, 'Start a new conversation'));
    this.panel = h('section', { class: 'panel', id: 'panel', role: 'dialog', 'aria-labelledby': 'title', tabindex: '-1', hidden: true },
      h('header', {}, h('span', { class: 'mark' }, icon('door')), h('div', { class: 'names' }, this.heading, this.stateLine),
        h('button', { type: 'button', class: 'close', 'aria-label': 'Close the chat', onclick: () => this.close() }, icon('close'))),
      this.banner, h('div', { class: 'middle' }, this.log, this.newer), this.notice,
      h('footer', {}, this.composer, h('div', { class: 'below' }, this.human, this.count), this.ended));
    this.badge = h('span', { class: 'badge', 'aria-hidden': 'true', hidden: true });
    this.launcher = h('button', { type: 'button', class: 'launcher', 'aria-expanded': 'false', 'aria-controls': 'panel', onclick: () => (this.isOpen ? this.close() : this.open()) },
      icon('chat'), icon('down'), this.badge);
    this.frame = h('div', { class: `frame ${this.settings.position}`, dir: 'ltr', lang: 'en' }, this.panel, this.launcher);
    root.append(this.frame);
    this.#badge();
  }

  #listen() {
    this.composer.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.input.addEventListener('input', () => {
      this.#measure();
      this.conversation.writing();
    });
    this.frame.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.isOpen && !event.isComposing) {
        event.stopPropagation();
        this.close();
      } else if (event.key === 'Tab' && phone.matches) this.#keepInside(event);
    });
    document.addEventListener('click', (event) => {
      const opener = event.target instanceof Element && event.target.closest('[data-doorstep-open]');
      if (!opener) return;
      event.preventDefault();
      this.open(opener.dataset.doorstepOpen);
    });
    phone.addEventListener('change', () => this.#fit());
    for (const type of ['resize', 'scroll']) visualViewport?.addEventListener(type, () => this.#fit());
    for (const type of ['online', 'offline']) addEventListener(type, () => this.#banner());
    document.addEventListener('visibilitychange', () => this.#news());
  }

  #view() {
    const { thread } = this;
    return {
      added: (message) => { thread.add(message); this.#news(); },
      sent: (id, seq) => thread.sent(id, seq),
      refused: (id, why, text) => this.#refused(id, why, text),
      notice: (text, isFatal) => this.#tell(text, isFatal),
      streamed: (replyTo, text) => thread.streamed(replyTo, text),
      restarted: (replyTo) => thread.restarted(replyTo),
      finished: (replyTo, message) => { thread.finished(replyTo, message); this.#news(); },
      abandoned: (replyTo) => thread.abandoned(replyTo),
      typing: (author) => thread.typing(author === 'staff' ? this.conversation.colleague || 'A colleague' : 'The assistant'),
      stateIs: (state, name) => this.#state(state, name),
      caughtUp: () => this.log.setAttribute('aria-live', 'polite'),
      readElsewhere: () => this.#badge(),
      cleared: () => { thread.clear(); this.log.setAttribute('aria-live', 'off'); this.#badge(); },
      connected: (isConnected) => this.#connected(isConnected),
      shopIs: (name) => { if (!this.settings.title && name) this.heading.textContent = name; },
    };
  }

  #submit() {
    const text = this.input.value.trim();
    if (!text || length(text) > MOST_CHARS) return;
    this.input.value = '';
    this.#measure();
    this.#say(text, '');
  }

  #pick(text, value) {
    this.#say(text, value);
    (touch.matches ? this.panel : this.input).focus({ preventScroll: true }); // the button is gone
  }

  #say(text, value) {
    this.notice.hidden = true;
    this.thread.dropRefused();
    this.conversation.say(text, value);
    this.thread.toEnd();
  }

  #refused(id, why, text) {
    const isFree = !this.input.value.trim();
    this.thread.refused(id, why, isFree);
    if (!isFree) return;
    this.input.value = text;
    this.#measure();
  }

  #tell(text, isFatal) {
    this.notice.textContent = text;
    this.notice.hidden = false;
    if (isFatal) this.banner.textContent = '';
  }

  /** A message came in, or came into sight: nothing to count while the panel is open and visible. */
  #news() {
    queueMicrotask(() => {
      if (this.isOpen && !document.hidden) this.conversation.read();
      this.#badge();
    });
  }

  #badge() {
    const count = this.isOpen ? 0 : (this.conversation?.unread ?? 0);
    this.badge.hidden = !count;
    this.badge.textContent = count > 9 ? '9+' : count;
    const news = count ? `, ${count} unread` : '';
    this.launcher.setAttribute('aria-label', this.isOpen ? 'Close the chat' : `Open the chat${news}`);
  }

  #state(state, name) {
    this.frame.dataset.state = state;
    this.#describe({ bot: 'Assistant', waiting: 'Waiting for a colleague', staff: name || 'A colleague', closed: 'Closed' }[state] ?? 'Assistant');
    const isClosed = state === 'closed';
    this.ended.hidden = !isClosed;
    this.composer.hidden = isClosed;
    this.human.parentElement.hidden = isClosed;
    this.human.hidden = state !== 'bot';
  }

  #describe(text) {
    if (this.stateLine.textContent !== text) this.stateLine.textContent = text;
  }

  #anew() {
    this.conversation.startAnew();
    this.input.focus();
  }

  #connected(isConnected) {
    if (!isConnected && this.down) return; // one more failed attempt
    this.down = !isConnected;
    this.frame.dataset.connected = isConnected;
    clearTimeout(this.bannerDue);
    this.late = false;
    if (this.down) this.bannerDue = setTimeout(() => { this.late = true; this.#banner(); }, BANNER_AFTER);
    this.#banner();
  }

  #banner() {
    const offline = this.down && !navigator.onLine;
    const text = offline ? 'You’re offline. Messages go out when you’re back.' : this.down && this.late ? 'Reconnecting…' : '';
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }

  #toNewest() {
    this.thread.toEnd();
    this.log.focus({ preventScroll: true });
  }

  #measure() {
    this.input.style.height = 'auto';
    this.input.style.height = `${this.input.scrollHeight}px`;
    const used = length(this.input.value);
    const left = MOST_CHARS - used;
    const plural = Math.abs(left) === 1 ? 'character' : 'characters';
    this.count.textContent = used < COUNT_FROM ? '' : left < 0 ? `${-left} ${plural} too many` : `${left} ${plural} left`;
    this.count.classList.toggle('over', left < 0);
    this.input.setAttribute('aria-invalid', left < 0);
  }

  /** On a phone the panel covers the page: it follows the part of the screen the keyboard leaves free. */
  #fit() {
    const covers = this.isOpen && phone.matches;
    this.panel.setAttribute('aria-modal', covers);
    document.documentElement.style.overflow = covers ? 'hidden' : '';
    const { height = 0, offsetTop = 0, scale = 1 } = visualViewport ?? {};
    const follow = covers && visualViewport && scale === 1;
    this.panel.style.height = follow ? `${height}px` : '';
    this.panel.style.top = follow ? `${offsetTop}px` : '';
    if (covers && this.thread.atEnd) this.thread.toEnd();
  }

  #keepInside(event) {
    const stops = [...this.panel.querySelectorAll('button, textarea, a[href], [tabindex="0"]')]
      .filter((element) => element.getClientRects().length);
    const [first, last] = [stops[0], stops.at(-1)];
    const here = this.shadowRoot.activeElement;
    if (event.shiftKey && (here === first || here === this.panel)) { event.preventDefault(); last.focus(); }
    else if (!event.shiftKey && here === last) { event.preventDefault(); first.focus(); }
  }
}

/** In characters as a person counts them, and as the server does. */
function length(text) {
  return [...text.trim()].length;
}

export function mount(settings, css) {
  customElements.define('doorstep-chat', DoorstepChat);
  const element = document.createElement('doorstep-chat');
  document.body.append(element);
  element.build(settings, css);
}
