// Lines of logs as runs of text with classes: colours (SGR) become classes, nothing else is kept.
// MCM has already taken out every other control sequence; whatever is left is shown as text.
const SGR = /\x1b\[([0-9;:]*)m/g;
const STYLES = { 1: "b", 2: "dim", 3: "i", 4: "u" };
const OFF = { 22: ["b", "dim"], 23: ["i"], 24: ["u"] };

/** [[text, classes], …] of a line. */
export function runs(line) {
  if (!line.includes("\x1b")) return [[line, ""]];
  const found = [];
  const on = new Set();
  let colour = "";
  let done = 0;
  const add = (text) => { if (text) found.push([text, [colour, ...on].filter(Boolean).map((name) => `a-${name}`).join(" ")]); };
  for (const match of line.matchAll(SGR)) {
    add(line.slice(done, match.index));
    done = match.index + match[0].length;
    colour = apply(match[1].split(/[;:]/).map(Number), on, colour);
  }
  add(line.slice(done));
  return found;
}

function apply(codes, on, colour) {
  for (let n = 0; n < codes.length; n += 1) {
    const code = codes[n];
    if (code === 0) { on.clear(); colour = ""; }
    else if (STYLES[code]) on.add(STYLES[code]);
    else if (OFF[code]) OFF[code].forEach((name) => on.delete(name));
    else if (code >= 30 && code <= 37) colour = String(code - 30);
    else if (code >= 90 && code <= 97) colour = String(code - 82);
    else if (code === 39) colour = "";
    else if (code === 38 || code === 48) { // of a palette, or of three numbers
      if (codes[n + 1] === 5 && code === 38) colour = codes[n + 2] < 16 ? String(codes[n + 2]) : "";
      n += codes[n + 1] === 5 ? 2 : 4;
    }
  }
  return colour;
}

/** The line without its colours. */
export const plain = (line) => line.replace(SGR, "");

/** Fills an element with the line; `ranges` are [begin, end] of what is marked in its plain text. */
export function write(element, line, ranges = []) {
  const nodes = [];
  let at = 0;
  let next = 0;
  for (const [text, classes] of runs(line)) {
    let begin = 0;
    while (begin < text.length) {
      while (next < ranges.length && ranges[next][1] <= at + begin) next += 1;
      const [from, to] = ranges[next] ?? [Infinity, Infinity];
      const marked = from <= at + begin;
      const end = Math.min(text.length, (marked ? to : from) - at);
      nodes.push(node(text.slice(begin, end), classes, marked));
      begin = end;
    }
    at += text.length;
  }
  element.replaceChildren(...nodes);
}

function node(text, classes, marked) {
  if (!classes && !marked) return document.createTextNode(text);
  const made = document.createElement(marked ? "mark" : "span");
  made.className = classes;
  made.textContent = text;
  return made;
}
