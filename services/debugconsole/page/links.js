// The picture of a node's links: the node in the middle, the others left and right
// of it. The table below it says the same, so it is hidden from screen readers.

import { svg } from "./table.js";

const cardHeight = 62, gap = 14, signs = { up: "●", connecting: "◌", down: "✕", closed: "–", unknown: "?" };

export const stateText = (link) => `${signs[link.state] ?? "?"} ${link.state}`;

// draw fills box; rates(link) gives the lines below a node's name.
export function draw(box, links, rates) {
  const width = box.clientWidth, most = 24, shown = links.slice(0, most);
  box.replaceChildren();
  if (width === 0 || links.length === 0) return;
  const narrow = width < 600, cardWidth = narrow ? Math.floor(width * 0.36) : 190, ends = Math.ceil(shown.length / 2);
  const height = Math.max(130, ends * (cardHeight + gap) + gap), middle = { x: width / 2, y: height / 2 };
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const letters = Math.floor((cardWidth - 20) / 8.8);
  shown.forEach((link, i) => {
    const right = i % 2 === 0, side = right ? ends : shown.length - ends;
    const y = middle.y + (Math.floor(i / 2) - (side - 1) / 2) * (cardHeight + gap);
    const inset = narrow ? 1 : Math.max(1, width / 2 - 360), x = right ? width - cardWidth - inset : inset;
    const edge = right ? x : x + cardWidth, half = (edge + middle.x) / 2;
    picture.append(svg("path", { class: `line ${link.state}`, d: `M${middle.x} ${middle.y}C${half} ${middle.y} ${half} ${y} ${edge} ${y}` }));
    const card = svg("g", { class: `card ${link.state}`, transform: `translate(${x} ${y - cardHeight / 2})` });
    card.append(svg("title", {}, `${link.node} ${link.address} ${link.error ?? ""}`));
    card.append(svg("rect", { width: cardWidth, height: cardHeight, rx: 8 }));
    [cut(link.node, letters), stateText(link), cut(rates(link), Math.floor(letters * 1.45))].forEach((text, n) =>
      card.append(svg("text", { class: ["name", "state", "rates"][n], x: 10, y: 19 + 18 * n }, text)));
    picture.append(card);
  });
  picture.append(svg("circle", { class: "self", cx: middle.x, cy: middle.y, r: 30 }));
  ["this", "node"].forEach((text, i) => picture.append(svg("text", { class: "self-name", x: middle.x, y: middle.y - 2 + 13 * i }, text)));
  box.append(picture);
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
