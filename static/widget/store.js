/* What this browser keeps between pages: which conversation it is in, how far it was read, and the messages
 * that the server has not confirmed. The conversation itself lives on the server. No cookies. */

const MOST_UNSENT = 50;

export class Store {
  /** `scope`: the address of the desk, so that two desks on one page's origin do not mix. */
  constructor(scope) {
    this.key = `doorstep ${scope}`;
    this.unsentKey = `${this.key} unsent`;
    this.memory = new Map(); // where the browser refuses storage
  }

  /** `who`: the customer the page signed for, as a short hash, or ''. */
  get conversation() {
    const { conversation = '', token = '', read = 0, who = '' } = this.#get(this.key) ?? {};
    return { conversation, token, read, who };
  }

  set conversation(value) {
    this.#set(this.key, value);
  }

  forget() {
    this.#set(this.key, null);
  }

  forgetUnsent() {
    this.#set(this.unsentKey, null);
  }

  get unsent() {
    const list = this.#get(this.unsentKey);
    return Array.isArray(list) ? list : [];
  }

  keep(message) {
    this.#set(this.unsentKey, [...this.unsent, message].slice(-MOST_UNSENT));
  }

  settle(id) {
    const left = this.unsent.filter((message) => message.id !== id);
    this.#set(this.unsentKey, left.length ? left : null);
  }

  /** Whether the panel is open in this tab, over page loads. */
  get panelIsOpen() {
    try {
      return sessionStorage.getItem(this.key) === 'open';
    } catch {
      return false;
    }
  }

  set panelIsOpen(isOpen) {
    try {
      if (isOpen) sessionStorage.setItem(this.key, 'open');
      else sessionStorage.removeItem(this.key);
    } catch {
      // then it starts closed on the next page
    }
  }

  /** Calls back when another tab of this browser changes the conversation. */
  onElsewhere(callback) {
    addEventListener('storage', (event) => {
      if (event.key === this.key) callback(this.conversation);
    });
  }

  #get(key) {
    try {
      return JSON.parse(localStorage.getItem(key) ?? this.memory.get(key) ?? 'null');
    } catch {
      return JSON.parse(this.memory.get(key) ?? 'null');
    }
  }

  #set(key, value) {
    const text = JSON.stringify(value);
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, text);
    }
  }
}
