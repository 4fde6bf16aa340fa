// Keys of objects in the store of media: random, and fit to be the name of a file wherever they are kept.
import { randomBase62 } from './id'

/** A key that no object has. */
export const newBlobKey = (): string => randomBase62(26)

/** Whether `text` has the shape of a key; nothing else becomes a path. */
export const isBlobKey = (text: string): boolean => /^[0-9A-Za-z]{20,64}$/.test(text)
