// The lines that are shown: a bounded number of them, in blocks that the browser lays out when they
// come into sight. Follows its end until the reader scrolls away; then it keeps what is read.
import { plain, write } from "./ansi.js";

const MOST = 10000; // lines
const MOST_TEXT = 8_000_000; // characters of them
const BLOCK = 100;
const NEAR = 24; // px from the end: still following

const two = (n, size = 2) => String(n).padStart(size, "0");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_whole, name) => values[name]);
const number = (n) => new Intl.NumberFormat(document.documentElement.lang).format(n);

export class LogView {
  constructor(box, texts) {
    this.box = box;
    this.texts = texts;
    this.lines = [];
    this.size = 0;
    this.dropped = 0;
    this.last = ""; // the latest moment of any line
    this.following = true;
    this.pattern = null;
    this.hits = 0;
    this.current = null;
    this.end = document.getElementById("log-end");
    this.counter = document.getElementById("log-hits");
    this.note = Object.assign(document.createElement("div"), { className: "log-note" });
    this.note.setAttribute("role", "status");
    box.before(this.note);
    box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.end.addEventListener("click", () => this.follow());
  }

  // ---- lines come and go ----
  /** Whether so many more can come without taking away what is being read. */
  hasRoom(n) {
    return this.following || (this.lines.length + n <= MOST && this.size <= MOST_TEXT);
  }

  add(lines) {
    let block = this.box.lastElementChild;
    for (const line of lines) {
      if (!block || block.childElementCount >= BLOCK) {
        block = Object.assign(document.createElement("div"), { className: "log-block" });
        this.box.append(block);
      }
      line.plain = plain(line.text);
      line.element = this.render(line);
      block.append(line.element);
      this.lines.push(line);
      this.size += line.text.length;
      if (line.at && !line.note && line.at > this.last) this.last = line.at;
      if (this.pattern) this.mark(line);
    }
    this.drop();
    this.count();
    if (this.following) this.toEnd();
  }

  /** The oldest go in whole blocks, which is quick however many there are. */
  drop() {
    while ((this.lines.length > MOST || this.size > MOST_TEXT) && this.box.childElementCount > 1) {
      const block = this.box.firstElementChild;
      for (const line of this.lines.splice(0, block.childElementCount)) {
        this.size -= line.text.length;
        if (line.hit) this.hits -= 1;
        if (line === this.current) this.current = null;
        if (!line.note) this.dropped += 1;
      }
      block.remove();
    }
  }

  clear() {
    Object.assign(this, { lines: [], size: 0, dropped: 0, last: "", hits: 0, current: null, following: true });
    this.box.replaceChildren();
    this.count();
  }

  render({ source, at, text, note }) {
    const element = document.createElement("div");
    element.className = note ? "log-line log-told" : "log-line";
    if (source.hidden) element.hidden = true;
    const time = Object.assign(document.createElement("span"), { className: "ts", textContent: at ? clock(at) : "", title: at });
    const name = Object.assign(document.createElement("span"), { className: `src src-${source.colour}`, title: source.name });
    for (const part of ["cluster", "pod", "container"]) {
      name.append(Object.assign(document.createElement("span"), { className: part, textContent: source[part] }));
    }
    const body = Object.assign(document.createElement("span"), { className: "tx" });
    write(body, text);
    element.append(time, name, body);
    return element;
  }

  // ---- how they are shown ----
  look(times, wrap) {
    this.box.classList.toggle("no-times", !times);
    this.box.classList.toggle("nowrap", !wrap);
    if (this.following) this.toEnd();
  }

  /** Of a source's name only those parts are shown in which sources differ. */
  name(sources) {
    for (const part of ["cluster", "pod", "container"]) {
      this.box.classList.toggle(`many-${part}s`, new Set(sources.map((source) => source[part])).size > 1);
    }
  }

  hide(source) {
    for (const line of this.lines) if (line.source.name === source.name) line.element.hidden = source.hidden;
    if (this.following) this.toEnd();
  }

  show() {
    this.end.hidden = this.following;
    const told = this.dropped ? fill(this.texts.dropped, { n: number(this.dropped) }) : this.lines.length ? "" : this.texts.noLines;
    if (this.note.textContent !== told) this.note.textContent = told;
  }

  /** What is shown, as a file. */
  text() {
    const shown = this.lines.filter((line) => !line.element.hidden && (!this.only || !this.pattern || line.hit));
    return shown.map((line) => `${line.at} [${line.source.name}] ${line.note ? "# MCM: " : ""}${line.plain}\n`).join("");
  }

  // ---- following the end ----
  toEnd() { this.box.scrollTop = this.box.scrollHeight; }

  follow() {
    this.following = true;
    this.toEnd();
    this.show();
    document.dispatchEvent(new CustomEvent("logs:room"));
  }

  scrolled() {
    const before = this.following;
    this.following = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR;
    if (before !== this.following) {
      this.show();
      if (this.following) document.dispatchEvent(new CustomEvent("logs:room"));
    }
  }

  // ---- search ----
  find(text, isRegex, only) {
    this.only = only;
    this.pattern = null;
    let bad = false;
    if (text) {
      const flags = text === text.toLowerCase() ? "gi" : "g"; // capitals are meant as they are
      try { this.pattern = new RegExp(isRegex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags); } catch { bad = true; }
    }
    this.box.classList.toggle("only-hits", only && Boolean(this.pattern));
    this.hits = 0;
    this.current = null;
    for (const line of this.lines) this.mark(line);
    document.getElementById("log-find").setAttribute("aria-invalid", String(bad));
    this.count(bad ? this.texts.badRegex : "");
    if (this.following) this.toEnd();
  }

  mark(line) {
    const ranges = this.pattern && !line.note ? ranges_(this.pattern, line.plain) : [];
    const body = line.element.lastElementChild;
    if (ranges.length || line.hit) write(body, line.text, ranges);
    line.hit = ranges.length > 0;
    if (line.hit) this.hits += 1;
    line.element.classList.toggle("hit", line.hit);
    line.element.classList.remove("log-now");
  }

  count(bad = "") {
    const at = this.current ? this.hitLines().indexOf(this.current) + 1 : 0;
    const found = this.hits ? fill(this.texts.hits, { at: number(at), n: number(this.hits) }) : this.texts.noHits;
    const told = bad || (this.pattern ? found : "");
    if (this.counter.textContent !== told) this.counter.textContent = told;
  }

  hitLines() { return this.lines.filter((line) => line.hit && !line.element.hidden); }

  /** To the next match (1) or the one before (-1); the first is the one nearest to the end. */
  go(step) {
    const hits = this.hitLines();
    if (!hits.length) return;
    const at = hits.indexOf(this.current);
    const next = at < 0 ? (step > 0 ? 0 : hits.length - 1) : (at + step + hits.length) % hits.length;
    this.current?.element.classList.remove("log-now");
    this.current = hits[next];
    this.current.element.classList.add("log-now");
    this.following = false;
    this.current.element.scrollIntoView({ block: "center" });
    this.count();
    this.show();
  }
}

function ranges_(pattern, text) {
  const found = [];
  for (const match of text.matchAll(pattern)) {
    if (match[0]) found.push([match.index, match.index + match[0].length]);
    if (found.length >= 200) break;
  }
  return found;
}

function clock(at) {
  const when = new Date(at.slice(0, 23) + "Z");
  return Number.isNaN(when.getTime()) ? at : `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}.${two(when.getMilliseconds(), 3)}`;
}
