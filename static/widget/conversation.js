/* The protocol seen from the browser (chatbot/protocol.py has the frames): which messages are known, which
 * are still on their way, and which reply is being written. Knows no elements: it tells a `view`.
 *
 * view: added(message) · sent(id, seq) · refused(id, text) · notice(text, fatal) · streamed(replyTo, text)
 *       restarted(replyTo) · finished(replyTo, message) · abandoned(replyTo) · typing(author) · stateIs(state, name)
 *       caughtUp() · cleared() · readElsewhere() · connected(isConnected) · shopIs(name)                       */

import { Connection } from './connection.js';
import { subject } from './identity.js';

const GAP_PATIENCE = 1_500; // a message that overtook another one; after this we ask for the missing one
const REPLY_PATIENCE = 4_000; // no sign of a reply: it may have been announced while nobody listened
const LONGEST_PATIENCE = 30_000;
const RESEND_SPACING = 120; // many unsent messages at once must not look like a flood
const PAUSES = { too_fast: 1_500, fault: 3_000 }; // errors that pass: the message is sent again by itself
const MOST_TRIES = 4;

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID(); // absent on plain http
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Conversation {
  constructor(settings, store, view) {
    Object.assign(this, { settings, store, view });
    this.connection = new Connection(settings.url, {
      open: () => this.#hello(),
      frame: (frame) => this.#receive(frame),
      down: () => this.#down(),
    });
    this.who = subject(settings.identity);
    this.#checkWho();
    this.state = 'bot';
    this.colleague = '';
    this.ready = false; // welcomed on the present socket
    this.pending = new Map(store.unsent.map((message) => [message.id, message]));
    this.#reset();
    store.onElsewhere((stored) => this.#elsewhere(stored));
  }

  get exists() {
    return Boolean(this.store.conversation.conversation) || this.pending.size > 0;
  }

  connect() {
    this.connection.start();
  }

  say(text, value = '') {
    const message = { id: newId(), text, value, at: new Date().toISOString() };
    this.pending.set(message.id, message);
    this.store.keep(message);
    this.view.added({ ...message, author: 'customer', seq: null });
    this.connection.start();
    if (this.ready) this.#send(message);
  }

  /** Told to colleagues only; the assistant does not wait for it. */
  writing() {
    if (!this.ready || this.state === 'bot' || Date.now() - (this.toldAt ?? 0) < 3_000) return;
    this.toldAt = Date.now();
    this.connection.send({ type: 'typing' });
  }

  startAnew() {
    this.store.forget();
    this.#clear();
    this.connection.restart();
  }

  read() {
    const stored = this.store.conversation;
    if (this.latest > stored.read && stored.conversation) {
      this.store.conversation = { ...stored, read: this.latest };
    }
  }

  get unread() {
    const { read } = this.store.conversation;
    return [...this.incoming].filter((seq) => seq > read).length;
  }

  /** Another customer than the one this browser talked as, or nobody any more: what was said is not theirs. */
  #checkWho() {
    const { who } = this.store.conversation;
    if (!who || who === this.who) return;
    this.store.forget();
    this.store.forgetUnsent();
  }

  #reset() {
    this.known = new Set(); // every seq we have
    this.incoming = new Set(); // those that others wrote
    this.through = 0; // everything up to here is known
    this.latest = 0;
    this.goal = 0; // where the replay after a hello ends
    this.streams = new Map(); // reply_to → {pieces, next}
    this.answered = new Set(); // reply_to whose reply is whole
    this.waitingFor = 0; // own seq that has no reply yet
    this.patient = REPLY_PATIENCE;
    clearTimeout(this.patience);
  }

  #clear() {
    this.#reset();
    this.#setState('bot', '');
    this.view.cleared();
    for (const message of this.pending.values()) this.view.added({ ...message, author: 'customer', seq: null });
  }

  #hello() {
    const { conversation, token } = this.store.conversation;
    this.ready = false;
    this.saidHelloAs = conversation;
    this.connection.send({
      type: 'hello',
      conversation,
      token,
      last_seq: this.through,
      identity: this.settings.identity,
      page: (location.origin + location.pathname).slice(0, 500),
    });
  }

  #down() {
    this.ready = false;
    clearTimeout(this.patience);
    this.view.connected(false);
  }

  #elsewhere(stored) {
    if (!stored.conversation) return;
    if (stored.conversation === this.saidHelloAs) return this.view.readElsewhere();
    this.#clear();
    this.connection.restart();
  }

  #receive(frame) {
    switch (frame.type) {
      case 'welcome': return this.#welcome(frame);
      case 'ack': return this.#settled(frame.id, frame.seq);
      case 'message': return this.#message(frame);
      case 'delta': return this.#delta(frame);
      case 'typing': return this.view.typing(frame.author);
      case 'state': return this.#setState(frame.state, frame.name);
      case 'error': return this.#error(frame);
      case 'pong': return this.#reached(frame.seq ?? 0);
    }
  }

  #welcome(frame) {
    const stored = this.store.conversation;
    if (stored.conversation && stored.conversation !== this.saidHelloAs) {
      return this.#elsewhere(stored); // another tab opened a conversation meanwhile: join it
    }
    const isOther = frame.conversation !== stored.conversation;
    if (isOther && this.saidHelloAs) this.#clear();
    this.store.conversation = {
      conversation: frame.conversation,
      token: frame.token,
      read: isOther ? 0 : stored.read,
      who: this.who,
    };
    this.saidHelloAs = frame.conversation;
    this.connection.settled();
    this.ready = true;
    this.goal = frame.seq;
    this.view.shopIs(frame.shop ?? '');
    this.view.connected(true);
    this.#setState(frame.state, frame.name);
    this.#arrived();
    this.#expectReply();
    this.#sendPending();
  }

  async #sendPending() {
    for (const message of [...this.pending.values()]) {
      if (!this.ready) return;
      if (!this.pending.has(message.id)) continue;
      this.#send(message);
      await new Promise((done) => setTimeout(done, RESEND_SPACING));
    }
  }

  #send({ id, text, value }) {
    this.connection.send({ type: 'message', id, text, value });
  }

  #settled(id, seq) {
    if (this.pending.delete(id)) {
      this.store.settle(id);
      this.view.sent(id, seq);
      this.#asked(seq);
    }
    this.#know(seq);
  }

  #asked(seq) {
    this.waitingFor = seq;
    this.patient = REPLY_PATIENCE;
    this.#expectReply();
  }

  #message(frame) {
    if (frame.author === 'customer' && this.pending.has(frame.id)) return this.#settled(frame.id, frame.seq);
    if (this.known.has(frame.seq)) return;
    if (frame.author === 'customer') this.#asked(frame.seq);
    else this.incoming.add(frame.seq);
    if (frame.author === 'staff') this.#colleagueIs(frame.name);
    const replyTo = frame.reply_to ?? null;
    if (replyTo !== null) this.#answer(replyTo);
    if (this.streams.delete(replyTo)) this.view.finished(replyTo, frame);
    else this.view.added(frame);
    this.#know(frame.seq);
  }

  #answer(replyTo) {
    this.answered.add(replyTo);
    if (replyTo >= this.waitingFor) this.waitingFor = 0;
    if (!this.waitingFor) clearTimeout(this.patience);
  }

  #know(seq) {
    this.known.add(seq);
    this.latest = Math.max(this.latest, seq);
    while (this.known.has(this.through + 1)) this.through += 1;
    this.#arrived();
    this.#reached(this.latest);
  }

  #arrived() {
    if (this.latest < this.goal) return;
    this.through = Math.max(this.through, this.goal); // whatever the replay left out does not exist
    while (this.known.has(this.through + 1)) this.through += 1;
    this.view.caughtUp();
  }

  /** The server has messages up to `seq`. If we lack one and it does not come, ask for it by saying hello again. */
  #reached(seq) {
    if (!this.ready || seq <= this.through || this.latest < this.goal) return;
    clearTimeout(this.gap);
    this.gap = setTimeout(() => {
      if (seq > this.through) this.connection.restart();
    }, GAP_PATIENCE);
  }

  #delta({ reply_to: replyTo, index, text }) {
    if (this.answered.has(replyTo) || this.state === 'staff' || this.state === 'closed') return;
    this.#expectReply();
    let stream = this.streams.get(replyTo);
    if (!stream) this.streams.set(replyTo, (stream = { pieces: new Map(), next: 0 }));
    if (index === 0 && stream.next > 0 && stream.pieces.get(0) !== text) {
      // a worker died in mid-reply and another one began again
      stream.pieces.clear();
      stream.next = 0;
      this.view.restarted(replyTo);
    }
    if (!stream.pieces.has(index)) stream.pieces.set(index, text);
    let added = '';
    for (; stream.pieces.has(stream.next); stream.next += 1) added += stream.pieces.get(stream.next);
    if (added) this.view.streamed(replyTo, added);
  }

  #expectReply() {
    clearTimeout(this.patience);
    if (this.state !== 'bot' || !this.waitingFor) return;
    this.patience = setTimeout(() => {
      this.patient = Math.min(LONGEST_PATIENCE, this.patient * 2);
      this.connection.ping(); // the pong says how far the conversation really is
      this.#expectReply();
    }, this.patient);
  }

  #triesAgain(message) {
    message.tries = (message.tries ?? 1) + 1;
    return message.tries <= MOST_TRIES;
  }

  #colleagueIs(name) {
    this.colleague = name || this.colleague;
    if (this.state === 'staff') this.view.stateIs(this.state, this.colleague);
  }

  #setState(state, name = '') {
    this.state = state;
    this.colleague = name || (state === 'staff' ? this.colleague : '');
    if (state === 'staff' || state === 'closed') {
      // a reply in the making is dropped by the server when a colleague takes over
      for (const replyTo of this.streams.keys()) this.view.abandoned(replyTo);
      this.streams.clear();
    }
    if (state !== 'bot') clearTimeout(this.patience);
    this.view.stateIs(state, this.colleague);
  }

  #error({ code, text, id, fatal }) {
    const message = id && this.pending.get(id);
    if (message && code in PAUSES && this.#triesAgain(message)) {
      setTimeout(() => this.ready && this.pending.has(id) && this.#send(message), PAUSES[code]);
    } else if (message) {
      this.pending.delete(id);
      this.store.settle(id);
      this.view.refused(id, text, message.text);
    } else {
      this.view.notice(text, Boolean(fatal));
    }
    if (fatal) {
      this.ready = false;
      this.connection.stop();
    }
  }
}
