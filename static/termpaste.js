// Copy and paste of the terminal. In production a line break is pasted only after a question that
// shows the whole of it.
const LONGEST = 1024 * 1024;
const HARMLESS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g; // no key sends what a page hid in a text
const BREAK = /[\r\n\u0085\u2028\u2029]/;

const toast = (level, text) => document.dispatchEvent(new CustomEvent("mcm:toast", { detail: { level, text } }));

/** `typed` takes what xterm.js says is typed, `key` what is pressed; `type` sends it on. */
export function clipboard(terminal, { texts, place, isProd, type }) {
  const dialog = document.getElementById("terminal-pasting");
  let waiting = "";

  function paste(text) {
    if (terminal.options.disableStdin) return;
    const clean = text.replace(/\r\n/g, "\n").replace(HARMLESS, "");
    if (clean.length > LONGEST) return toast("warning", texts.tooLong);
    if (!isProd || !BREAK.test(clean)) return send(clean);
    waiting = clean;
    const lines = clean.replace(/\n$/, "").split(BREAK).length;
    document.getElementById("terminal-pasting-lines").textContent = texts.lines.replace("{n}", new Intl.NumberFormat(document.documentElement.lang).format(lines));
    document.getElementById("terminal-pasting-text").textContent = clean;
    dialog.returnValue = "";
    dialog.showModal();
  }

  function send(text) {
    const keys = text.replace(/\n/g, "\r");
    type(terminal.modes.bracketedPasteMode ? `\x1b[200~${keys}\x1b[201~` : keys);
    terminal.focus();
  }

  dialog.addEventListener("close", () => {
    const text = waiting;
    waiting = "";
    if (dialog.returnValue) send(text);
    else terminal.focus();
  });
  // Before xterm.js, which would pass it on.
  place.addEventListener("paste", (event) => {
    event.preventDefault();
    event.stopPropagation();
    paste(event.clipboardData?.getData("text/plain") ?? "");
  }, true);

  async function copy() {
    const text = terminal.getSelection();
    if (!text) return toast("info", texts.nothing);
    try {
      await navigator.clipboard.writeText(text);
      toast("success", texts.copied);
    } catch { toast("warning", texts.noClipboard); }
  }

  async function fetch() {
    try { paste(await navigator.clipboard.readText()); } catch { toast("warning", texts.noClipboard); }
  }

  document.getElementById("terminal-copy").addEventListener("click", copy);
  document.getElementById("terminal-paste").addEventListener("click", fetch);

  return {
    /** A keyboard of a phone, or a drop, puts in more than one key at once. */
    typed: (data) => (isProd && data.length > 1 && BREAK.test(data) ? paste(data) : type(data)),
    /** False for what is not the shell's. */
    key(event) {
      const isCopy = event.ctrlKey && event.shiftKey && event.code === "KeyC";
      if (isCopy && event.type === "keydown") { event.preventDefault(); copy(); }
      return !isCopy && !(event.ctrlKey && event.shiftKey && event.code === "KeyV");
    },
  };
}
