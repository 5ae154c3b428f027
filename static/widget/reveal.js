/* Text that arrives in bursts, shown at a steady pace: a few words per tick, more when many are waiting. */

const TICK = 28;

export class Reveal {
  /** `still`: whether to show everything at once (reduced motion, or nobody is looking). */
  constructor(element, { still, onGrow }) {
    Object.assign(this, { element, still, onGrow });
    this.text = '';
    this.queue = [];
    this.whole = null;
  }

  add(text) {
    this.text += text;
    this.queue.push(...text.split(/(?<=\s)(?=\S)/));
    this.timer ??= setTimeout(() => this.#tick(), 0);
  }

  clear() {
    this.text = '';
    this.queue = [];
    this.element.replaceChildren();
  }

  /** Calls back when everything is on the screen. */
  finish(whole) {
    this.whole = whole;
    this.timer ??= setTimeout(() => this.#tick(), 0);
  }

  #tick() {
    const haste = this.whole ? 5 : 12;
    const count = this.still() ? this.queue.length : Math.ceil(this.queue.length / haste);
    for (const word of this.queue.splice(0, count)) {
      const span = document.createElement('span');
      span.textContent = word;
      this.element.append(span);
    }
    if (count) this.onGrow();
    this.timer = this.queue.length ? setTimeout(() => this.#tick(), TICK) : null;
    if (!this.queue.length && this.whole) this.whole();
  }
}
