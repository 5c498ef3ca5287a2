// An answer as DOM nodes: paragraphs, lists, quotes, headings, bold, code, and [n] as links to sources. Text only ever
// becomes text nodes, so nothing an agent or a document says can become markup.

const INLINE = /\*\*(?<bold>[^*]+(?:\*(?!\*)[^*]*)*)\*\*|`(?<code>[^`]+)`|\[(?<cite>\d{1,3})\]/g;
const ITEM = /^\s*(?:[-*•]|(?<number>\d{1,3})[.)])\s+(?<text>.*)$/;

export function element(name, className = "", ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** A link's address if it leads to our own host, else "". */
export function ownAddress(url) {
  try {
    const address = new URL(url, location.origin);
    return address.origin === location.origin ? address.pathname + address.search + address.hash : "";
  } catch {
    return "";
  }
}

function sourceLink(citation, className) {
  const address = ownAddress(citation.url ?? "");
  const node = element(address ? "a" : "span", className);
  if (address) {
    node.href = address;
    node.target = "_blank";
    node.rel = "noopener";
  }
  return node;
}

function chip(number, citations) {
  const citation = citations.get(number);
  if (!citation) return document.createTextNode(`[${number}]`);
  const node = sourceLink(citation, "sb-cite");
  node.textContent = number;
  node.title = `${citation.title}, page ${citation.page}`;
  node.setAttribute("aria-label", `Source ${number}: ${citation.title}, page ${citation.page}`);
  return node;
}

function inline(text, citations) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > end) nodes.push(text.slice(end, match.index));
    const { bold, code, cite } = match.groups;
    if (bold !== undefined) nodes.push(element("strong", "", ...inline(bold, citations)));
    else if (code !== undefined) nodes.push(element("code", "", code));
    else nodes.push(chip(Number(cite), citations));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}

function lines(texts, citations) {
  return texts.flatMap((text, index) => (index ? [element("br"), ...inline(text, citations)] : inline(text, citations)));
}

/**
 * @param text the answer so far.
 * @param citations a Map from number to `{title, page, quote, url}`.
 * @returns nodes.
 */
export function answerNodes(text, citations) {
  const nodes = [];
  let block = null; // {kind, start, items or texts}
  const close = () => {
    if (!block) return;
    if (block.kind === "p" || block.kind === "blockquote") nodes.push(element(block.kind, "", ...lines(block.texts, citations)));
    else {
      const list = element(block.kind, "", ...block.items.map((item) => element("li", "", ...lines(item, citations))));
      if (block.start > 1) list.start = block.start;
      nodes.push(list);
    }
    block = null;
  };
  for (const line of text.replaceAll("\r\n", "\n").split("\n")) {
    const item = ITEM.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (!line.trim()) {
      // A blank line between two items doesn't end their list.
      if (block?.items) block.paused = true;
      else close();
    } else if (heading) {
      close();
      nodes.push(element("p", "sb-heading", ...inline(heading[1], citations)));
    } else if (item) {
      const kind = item.groups.number ? "ol" : "ul";
      if (block?.kind !== kind) {
        close();
        block = { kind, items: [], start: Number(item.groups.number ?? 1) };
      }
      block.paused = false;
      block.items.push([item.groups.text]);
    } else if (line.startsWith(">")) {
      if (block?.kind !== "blockquote") close();
      block ??= { kind: "blockquote", texts: [] };
      block.texts.push(line.replace(/^>\s?/, ""));
    } else if (block?.items && !block.paused) {
      block.items.at(-1).push(line.trim());
    } else {
      if (block?.kind !== "p") close();
      block ??= { kind: "p", texts: [] };
      block.texts.push(line);
    }
  }
  close();
  return nodes;
}

/** The cards below an answer: one a source, in the order of their numbers. */
export function sourceCards(citations) {
  const list = element("ol", "sb-sources");
  list.setAttribute("aria-label", "Sources");
  for (const [number, citation] of [...citations].sort(([one], [other]) => one - other)) {
    const card = sourceLink(citation, "sb-source");
    card.append(
      element("span", "sb-cite", String(number)),
      element("span", "sb-source-name", element("strong", "", citation.title || "Document"), ` page ${citation.page}`),
      element("span", "sb-source-quote", citation.quote ?? ""),
    );
    list.append(element("li", "", card));
  }
  return list;
}
