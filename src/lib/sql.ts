// SQL text as nested tokens: as much of SQLite's grammar as it takes to see which tables a statement touches, and how.

export type Token =
  | { kind: 'word' | 'name' | 'literal' | 'sign'; text: string }
  | { kind: 'parameter' }
  | { kind: 'group'; items: Token[] }

// Anything else is refused: comments, `;`, numbered or named parameters, `…` and […] quoting, letters beyond ASCII.
const pattern =
  /[ \t\n\f\r]+|(?<word>[a-z_][\w$]*)|"(?<name>[ -!#-~]+)"|(?<literal>'(?:[^'\0]|'')*'|\d[\w.]*|\.\d\w*)|(?<parameter>\?(?!\d))|(?<sign>--|\/\*|[-=<>!|&+*/%~,.()])/iy

/**
 * Words and quoted names come in lower case; what stands between parentheses is one group.
 * @throws Error for text that is not understood.
 */
export const parseSql = (sql: string): Token[] => {
  const open: Token[][] = [[]]
  const fail = () => new Error('A statement was refused: its text is not understood')
  pattern.lastIndex = 0
  while (pattern.lastIndex < sql.length) {
    const found = pattern.exec(sql)?.groups
    if (!found) throw fail()
    const { word, name, literal, parameter, sign } = found
    const items = open.at(-1)!
    if (word !== undefined) items.push({ kind: 'word', text: word.toLowerCase() })
    else if (name !== undefined) items.push({ kind: 'name', text: name.toLowerCase() })
    else if (literal !== undefined) items.push({ kind: 'literal', text: literal })
    else if (parameter !== undefined) items.push({ kind: 'parameter' })
    else if (sign === '(') {
      const group: Token = { kind: 'group', items: [] }
      items.push(group)
      open.push(group.items)
    } else if (sign === ')') {
      open.pop()
      if (open.length === 0) throw fail()
    } else if (sign !== undefined) {
      if (sign.length > 1) throw fail()
      items.push({ kind: 'sign', text: sign })
    }
  }
  if (open.length !== 1) throw fail()
  return open[0]!
}

export const countParameters = (tokens: readonly Token[]): number =>
  tokens.reduce((sum, t) => sum + (t.kind === 'parameter' ? 1 : t.kind === 'group' ? countParameters(t.items) : 0), 0)

export const isWord = (token: Token | undefined, ...words: string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text)

export const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === 'sign' && token.text === sign

/** The name an identifier stands for, quoted or not; undefined for any other token. */
export const nameOf = (token: Token | undefined): string | undefined =>
  token?.kind === 'word' || token?.kind === 'name' ? token.text : undefined

/** Cuts a list at each separator on its own level. */
export const splitAt = (tokens: readonly Token[], isSeparator: (token: Token) => boolean): Token[][] => {
  const parts: Token[][] = [[]]
  for (const token of tokens) {
    if (isSeparator(token)) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
}
