/**
 * Characters that hide or reorder the text around them: controls, also those of writing direction, characters without
 * width or ink, unusual spaces, halves of a character. Line ends are not among them.
 */
const INVISIBLE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}\u{2800}]--[\n\u{20}]]/gv;

/** @param {string} character */
const nameOf = (character) => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * Splits a text into parts that can be shown as they are and characters to show by their name. Line ends stay.
 * @param {string} text
 * @returns {{ kind: 'text' | 'hidden', text: string }[]}
 */
export const visibleParts = (text) => {
  /** @type {{ kind: 'text' | 'hidden', text: string }[]} */
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > from) parts.push({ kind: 'text', text: text.slice(from, match.index) });
    parts.push({ kind: 'hidden', text: nameOf(match[0]) });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
};

/** The same in one piece, for places that take plain text. @param {string} text */
export const visibleText = (text) => text.replaceAll(INVISIBLE, (character) => `⟨${nameOf(character)}⟩`);

/** @param {string} text */
export const hidesSomething = (text) => text.search(INVISIBLE) !== -1;
