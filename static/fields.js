// What a cluster says of the fields of a kind, beside a text: what is wrong in it, and what may come next.

/** The field at a path of names, "[]" standing for any item. */
export function fieldAt(schema, path) {
  let at = { of: schema.root };
  for (const part of path) {
    if (!at) return undefined;
    if (part === "[]") at = at.items;
    else at = schema.types[at.of]?.fields?.[part] ?? at.values;
  }
  return at;
}

/** Where the cursor stands: the names that lead to the mapping around it, and the keys written there. */
export function placeAt(doc, number, column) {
  const path = [];
  const siblings = new Set();
  const here = parts(doc.line(number).text);
  const level = here.empty ? column : here.column;
  let limit = level;
  for (const dash of here.dashes.toReversed()) { path.unshift("[]"); limit = dash + 1; }
  let among = here.dashes.length === 0;
  for (let n = number - 1; n > 0; n -= 1) {
    const text = doc.line(n).text;
    if (/^---/.test(text)) break;
    const line = parts(text);
    if (line.empty) continue;
    if (among && line.column === level && line.key) siblings.add(line.key);
    if (line.key && line.column < limit) {
      among = false;
      path.unshift(line.key);
      limit = line.column;
    }
    for (const dash of line.dashes.toReversed()) {
      if (dash >= limit) continue;
      if (line.column >= limit || path[0] === line.key) { among = false; path.unshift("[]"); limit = dash + 1; }
    }
    if (limit === 0 && !among) break;
  }
  for (let n = number + 1; n <= doc.lines; n += 1) {
    const line = parts(doc.line(n).text);
    if (line.empty) continue;
    if (line.column < level || line.dashes.some((dash) => dash < level)) break;
    if (line.column === level && line.key) siblings.add(line.key);
  }
  return { path, siblings };
}

function parts(text) {
  const dashes = [];
  let column = text.length - text.trimStart().length;
  let rest = text.slice(column);
  while (/^-(\s|$)/.test(rest)) {
    dashes.push(column);
    const inner = rest.slice(1);
    const step = 1 + inner.length - inner.trimStart().length;
    column += inner.trim() ? step : 2;
    rest = inner.trimStart();
  }
  const key = /^("[^"]*"|'[^']*'|[^\s#:'"][^:#]*?)\s*:(\s|$)/.exec(rest)?.[1]?.replace(/^["']|["']$/g, "");
  return { dashes, column, key, empty: (!rest && !dashes.length) || rest.startsWith("#") };
}

/** What is wrong with one document of a tree: pieces of the text with a word and what it is about. */
export function wrongs(state, document, schema) {
  const found = [];
  const read = (node) => state.sliceDoc(node.from, node.to);
  const tell = (node, word, about) => found.push({ from: node.from, to: node.to, word, about });

  function walk(node, field, key) {
    if (!field || found.length > 200) return;
    if (/Mapping$/.test(node.name)) mapping(node, field, key);
    else if (/Sequence$/.test(node.name)) sequence(node, field);
    else if (node.name === "Literal" && key) scalar(node, field);
  }
  function mapping(node, field, key) {
    const type = schema.types[field.of];
    if (!type && !field.values) {
      if (field.type && field.type !== "object") tell(key ?? node, "type", field.type);
      return;
    }
    const names = new Set();
    for (let pair = node.firstChild; pair; pair = pair.nextSibling) {
      if (pair.name !== "Pair") continue;
      const name = pair.getChild("Key");
      if (!name) continue;
      const word = read(name).replace(/^["']|["']$/g, "");
      names.add(word);
      const inner = type?.fields?.[word] ?? field.values;
      if (!inner && type && !type.open) tell(name, "unknown", word);
      let value = name.nextSibling;
      while (value && value.name === ":") value = value.nextSibling;
      if (value) walk(value, inner, name);
    }
    for (const name of type?.required ?? []) if (!names.has(name)) tell(key ?? node.firstChild ?? node, "missing", name);
  }
  function sequence(node, field) {
    if (!field.items) return;
    for (let item = node.firstChild; item; item = item.nextSibling) {
      const value = item.name === "Item" ? item.lastChild : item;
      if (value && value.name !== "-") walk(value, field.items, value.name === "Literal" ? value : undefined);
    }
  }
  function scalar(node, field) {
    const text = read(node);
    if (/^(~|null|Null|NULL)?$/.test(text)) return;
    if (field.words?.length && !field.words.includes(text)) tell(node, "word", field.words.join(", "));
    else if (field.type === "boolean" && !/^(true|false|yes|no|on|off)$/i.test(text)) tell(node, "type", "boolean");
    else if (field.type === "integer" && !/^[-+]?[0-9_xXa-fA-Fo]+$/.test(text)) tell(node, "type", "integer");
    else if (field.of || field.type === "object" || field.type === "array") tell(node, "type", field.type || "object");
  }
  for (let node = document.firstChild; node; node = node.nextSibling) walk(node, { of: schema.root });
  return found;
}

/** What may be written here: fields of the mapping around it, or the words that a value may have. */
export function options(schema, doc, position) {
  const line = doc.lineAt(position);
  const before = line.text.slice(0, position - line.from);
  const value = /^[\s-]*(?:"[^"]*"|'[^']*'|[^\s#:'"][^:#]*?)\s*:\s+(\S*)$/.exec(before);
  const place = placeAt(doc, line.number, before.length);
  if (value) {
    const key = parts(line.text).key;
    const field = fieldAt(schema, [...place.path, key]);
    const words = field?.type === "boolean" ? ["true", "false"] : field?.words ?? [];
    return { from: position - value[1].length, options: words.map((label) => ({ label, type: "enum" })) };
  }
  const typed = /^[\s-]*([\w.$/-]*)$/.exec(before);
  if (!typed || /^\s*-$/.test(before)) return null;
  const at = fieldAt(schema, place.path);
  const fields = schema.types[at?.of]?.fields ?? {};
  const required = new Set(schema.types[at?.of]?.required);
  const word = typed[1].replace(/^-+/, "");
  return {
    from: position - word.length,
    options: Object.entries(fields).filter(([name]) => !place.siblings.has(name)).map(([name, field]) => ({
      label: name, type: "property", detail: field.items ? "[]" : field.type || "", info: field.text || undefined,
      boost: required.has(name) ? 1 : 0,
      apply: field.of || field.values || field.items ? `${name}:` : `${name}: `,
    })),
  };
}
