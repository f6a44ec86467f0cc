// Words selected in a note fill in the form for what was missed. The form works without it.
"use strict";

const text = document.querySelector(".text");
const form = document.querySelector(".missed form");

if (text && form) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button primary small marker";
  button.textContent = text.dataset.mark;
  button.hidden = true;
  document.body.append(button);

  const inText = (node) => text.contains(node) && !node.parentElement.closest(".ref");

  // The selected words without the numbers of findings, and the code points before them.
  const selected = () => {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed || !text.contains(selection.getRangeAt(0).commonAncestorContainer)) {
      return null;
    }
    const range = selection.getRangeAt(0);
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    let start = 0;
    let words = "";
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (!inText(node)) continue;
      const first = node === range.startContainer ? range.startOffset : 0;
      const last = node === range.endContainer ? range.endOffset : node.data.length;
      if (!range.intersectsNode(node)) {
        if (!words) start += [...node.data].length;
        continue;
      }
      if (!words) start += [...node.data.slice(0, first)].length;
      words += node.data.slice(first, last);
    }
    return words.trim() ? { start: start + words.length - words.trimStart().length, words: words.trim(), range } : null;
  };

  const offer = () => {
    const found = selected();
    button.hidden = !found;
    if (!found) return;
    const box = found.range.getBoundingClientRect();
    button.style.top = `${window.scrollY + box.bottom + 8}px`;
    button.style.left = `${Math.max(8, Math.min(box.left, document.documentElement.clientWidth - button.offsetWidth - 8))}px`;
  };

  const fill = () => {
    const found = selected();
    if (!found) return;
    form.elements.start.value = found.start;
    form.elements.quote.value = found.words;
    form.closest("details").open = true;
    button.hidden = true;
    form.elements.type.focus();
  };

  document.addEventListener("selectionchange", offer);
  button.addEventListener("mousedown", (event) => event.preventDefault()); // a press would end the selection
  button.addEventListener("click", fill);
}
