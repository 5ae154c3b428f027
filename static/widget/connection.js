/* A websocket that comes back by itself: growing pauses with jitter, at once when the network or the tab
 * returns, and a ping that notices a line which died without a word. */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const PING_EVERY = 25_000;
const ANSWER_WITHIN = 10_000; // to a ping, and to a new socket's hello

export class Connection {
  /** `on`: {open(), frame(data), down()}. `down` is also called when a first attempt fails. */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.wanted = false;
    this.socket = null;
    this.failures = 0;
    addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      if (this.isOpen) this.ping();
      else this.retryNow();
    });
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  start() {
    this.wanted = true;
    if (!this.socket) this.#connect();
  }

  /** Ends for good, until `start`. */
  stop() {
    this.wanted = false;
    this.#drop();
  }

  /** A fresh socket at once, for example to have what was missed sent again. */
  restart() {
    this.#drop();
    this.start();
  }

  retryNow() {
    if (!this.wanted || this.socket) return;
    this.failures = 0;
    this.#connect();
  }

  send(frame) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  ping() {
    if (!this.send({ type: 'ping' }) || this.deadline) return;
    this.deadline = setTimeout(() => this.#lost(), ANSWER_WITHIN);
  }

  /** The server knows us: the next outage starts with short pauses again. */
  settled() {
    this.failures = 0;
  }

  #connect() {
    clearTimeout(this.retry);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.deadline = setTimeout(() => this.#lost(), ANSWER_WITHIN);
    socket.onopen = () => {
      this.pinging = setInterval(() => this.ping(), PING_EVERY);
      this.on.open();
    };
    socket.onmessage = (event) => {
      clearTimeout(this.deadline);
      this.deadline = null;
      this.on.frame(JSON.parse(event.data));
    };
    socket.onclose = () => this.#lost();
  }

  #lost() {
    this.#drop();
    if (!this.wanted) return;
    this.on.down();
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.failures++);
    this.retry = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2));
  }

  #drop() {
    clearTimeout(this.retry);
    clearInterval(this.pinging);
    clearTimeout(this.deadline);
    this.deadline = null;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
