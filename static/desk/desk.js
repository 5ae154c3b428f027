// The desk's own behaviour: a socket that says "something changed", htmx that reads it again, keys.
// Everything works without this file too, by plain forms and links.
(() => {
  "use strict";

  const POLL_MS = 20_000; // while the socket is away
  const TYPING_MS = 5_000; // how long "is typing" stays
  const GATHER_MS = 300; // nudges that come together are read once
  const SEEN = "desk-seen"; // the last message of each conversation that this browser has shown

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const here = () => $(".dk-desk")?.dataset.conversation;
  const isInside = () => Boolean($("#nav-sidebar"));

  window.desk = {
    lastSeq: () => Math.max(0, ...$$("#thread [data-seq]").map((el) => Number(el.dataset.seq))),
  };

  // a refused action answers 409 with a sentence to show
  htmx.config.responseHandling.unshift({ code: "409", swap: true, error: false });

  // --- live ---------------------------------------------------------------------------------------

  let socket, polling, gathering, typing, tries = 0;
  const heard = new Set();

  function connect() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/desk/`);
    socket.onopen = () => {
      tries = 0;
      clearInterval(polling);
      polling = undefined;
      document.documentElement.dataset.live = "1";
      refresh(); // what happened while the line was down
    };
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = () => {
      document.documentElement.dataset.live = "0";
      polling ??= setInterval(refresh, POLL_MS);
      setTimeout(connect, Math.min(30_000, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2));
    };
  }

  function hear(nudge) {
    if (nudge.type === "typing") {
      showTyping(nudge.conversation === here());
      return;
    }
    heard.add(nudge.type === "changed" ? nudge.conversation : nudge.type);
    gathering ??= setTimeout(() => {
      gathering = undefined;
      const kinds = [...heard];
      heard.clear();
      if (kinds.includes(here())) htmx.trigger(document.body, "desk-here");
      if (kinds.includes("draft")) htmx.trigger(document.body, "desk-draft");
      htmx.trigger(document.body, "desk-changed");
      count();
    }, GATHER_MS);
  }

  function showTyping(isHere) {
    const line = $("#typing");
    if (!line || !isHere) return;
    line.hidden = false;
    clearTimeout(typing);
    typing = setTimeout(() => { line.hidden = true; }, TYPING_MS);
  }

  function refresh() {
    hear({ type: "changed", conversation: here() });
    hear({ type: "draft" });
  }

  // --- how many wait: sidebar and title -------------------------------------------------------------

  const title = document.title;

  async function count() {
    const answer = await fetch("/desk/counts/", { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    show(await answer.json());
  }

  function show(counts) {
    for (const badge of $$("[data-count]")) {
      const n = counts[badge.dataset.count] ?? 0;
      badge.textContent = n;
      badge.hidden = !n;
    }
    document.title = counts.waiting ? `(${counts.waiting}) ${title}` : title;
  }

  function countFromPage() {
    const waiting = Number($('[data-count="waiting"]')?.textContent ?? 0);
    document.title = waiting ? `(${waiting}) ${title}` : title;
  }

  // --- read and unread --------------------------------------------------------------------------------

  const seen = () => JSON.parse(localStorage.getItem(SEEN) ?? "{}");

  function markSeen() {
    const id = here();
    if (!id || document.hidden) return;
    const all = Object.entries({ ...seen(), [id]: window.desk.lastSeq() });
    localStorage.setItem(SEEN, JSON.stringify(Object.fromEntries(all.slice(-500))));
  }

  function markRows() {
    const known = seen();
    for (const row of $$(".dk-row[data-conversation]")) {
      const isForPeople = ["waiting", "staff"].includes(row.dataset.state);
      const isNew = Number(row.dataset.asked) > (known[row.dataset.conversation] ?? 0);
      row.classList.toggle("dk-unread", isForPeople && isNew);
    }
  }

  // --- the thread -------------------------------------------------------------------------------------

  const thread = () => $("#thread");
  const lastMessage = () => $$("#thread .dk-message").at(-1);

  // on a phone the page scrolls, elsewhere the thread does
  function isAtEnd() {
    const el = thread();
    if (el.scrollHeight > el.clientHeight + 1) return el.scrollHeight - el.scrollTop - el.clientHeight < 80;
    return !lastMessage() || lastMessage().getBoundingClientRect().top < innerHeight;
  }

  function toEnd() {
    const el = thread();
    if (!el) return;
    el.scrollTop = el.scrollHeight;
    if (getComputedStyle(el).overflowY === "visible") lastMessage()?.scrollIntoView({ block: "end" });
    $(".dk-newer").hidden = true;
  }

  function followControls() {
    const head = $("#head");
    if (!head) return;
    const fieldset = $("#composer fieldset");
    const may = head.dataset.canWrite === "1";
    const isNew = may && fieldset.disabled;
    fieldset.disabled = !may; // what was typed stays
    if (isNew) $("#composer textarea").focus();
  }

  // details stay open when the part around them is replaced
  let open = new Set(), closed = new Set();
  function rememberDetails() {
    open = new Set($$("details[id][open]").map((el) => el.id));
    closed = new Set($$("details[id]:not([open])").map((el) => el.id));
  }
  function restoreDetails() {
    for (const el of $$("details[id]")) {
      if (open.has(el.id)) el.open = true;
      else if (closed.has(el.id)) el.open = false;
    }
  }

  // --- times that grow old ------------------------------------------------------------------------------

  function age(iso) {
    const s = Math.max(0, Math.floor((Date.now() - new Date(iso)) / 1000));
    if (s < 60) return "now";
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return s < 48 * 3600 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  }
  const ageTimes = () => $$("time[data-since]").forEach((el) => { if (el.dateTime) el.textContent = age(el.dateTime); });

  // --- keys -----------------------------------------------------------------------------------------------

  function step(by) {
    const rows = $$(".dk-row");
    const at = rows.findIndex((row) => row === document.activeElement);
    const from = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
    rows[Math.min(rows.length - 1, Math.max(0, from + by))]?.focus();
  }

  function onKey(event) {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.target.matches?.("#composer textarea") && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("#composer").requestSubmit();
    } else if (typing && event.key === "Escape") {
      event.target.blur();
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1) {
      const key = event.key.toLowerCase();
      if (key === "j" || key === "k") {
        step(key === "j" ? 1 : -1);
        return;
      }
      const target = $(`[data-key="${CSS.escape(key)}"]`);
      if (!target || target.closest(":disabled")) return;
      event.preventDefault();
      if (target.matches("button")) target.click();
      else target.focus();
    }
  }

  // --- htmx -----------------------------------------------------------------------------------------------

  let wasAtEnd = true, lastShown = 0;

  function listen() {
    const body = document.body;
    body.addEventListener("htmx:beforeOnLoad", (event) => {
      // the session ended: the login page must not land inside a list
      if (event.detail.xhr.responseURL.includes("/login/")) {
        event.preventDefault();
        location.reload();
      }
    });
    body.addEventListener("htmx:beforeSwap", () => {
      rememberDetails();
      if (thread()) wasAtEnd = isAtEnd();
    });
    body.addEventListener("htmx:afterSettle", (event) => {
      restoreDetails();
      followControls();
      if (here() && window.desk.lastSeq() > lastShown) {
        if (wasAtEnd) toEnd();
        else $(".dk-newer").hidden = false;
        $("#typing").hidden = true;
        lastShown = window.desk.lastSeq();
      }
      markSeen();
      markRows();
      ageTimes();
    });
    body.addEventListener("desk-done", (event) => {
      if (event.target.id === "composer") {
        event.target.reset();
        wasAtEnd = true;
        toEnd();
      }
      if ($("#notice")) $("#notice").replaceChildren();
      refresh();
    });
    body.addEventListener("desk-refused", refresh);
    for (const name of ["htmx:sendError", "htmx:responseError"]) {
      body.addEventListener(name, (event) => {
        if (event.detail.requestConfig.verb === "post" && $("#notice")) {
          $("#notice").textContent = "That did not reach the server. Please try again.";
        }
      });
    }
    document.addEventListener("keydown", onKey);
    document.addEventListener("visibilitychange", () => { markSeen(); markRows(); });
    $(".dk-newer")?.addEventListener("click", toEnd);
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!isInside()) return;
    listen();
    toEnd();
    lastShown = window.desk.lastSeq();
    if (matchMedia("(hover: hover)").matches) $("#composer fieldset:enabled textarea")?.focus({ preventScroll: true });
    markSeen();
    markRows();
    countFromPage();
    setInterval(ageTimes, 30_000);
    connect();
  });
})();
