// The known word that somebody meant.

/** Levenshtein's distance: how many letters to insert, delete or change to get from one text to the other. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, x] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, y] of [...b].entries())
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (x === y ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** The word of `words` that `text` is fewest edits away from; of equals the first, undefined where there is none. */
export const nearest = (text: string, words: readonly string[]): string | undefined =>
  words.map((word) => ({ word, edits: distance(text, word) })).sort((a, b) => a.edits - b.edits)[0]?.word
