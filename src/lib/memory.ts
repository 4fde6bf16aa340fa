// Memory given back by hand: garbage piles up faster than it is collected.

/** Gives back the memory of `bytes`, which are gone after it; nothing where they share it with others. */
export const free = ({ buffer, byteLength }: Uint8Array): void => {
  // The runtime may have made it a byte longer; anything else is shared with others.
  const isOwn = buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength - byteLength <= 1
  if (isOwn) buffer.transfer(0)
}
