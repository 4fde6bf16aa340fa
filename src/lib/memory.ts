// Memory given back by hand: what waits to be collected gathers faster than it is.

/** Gives back the memory of `bytes`, which are gone after it; nothing where they share it with others. */
export const free = ({ buffer, byteLength }: Uint8Array): void => {
  // The runtime may have made it a byte longer; anything else is shared with others.
  const isOwn = buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength - byteLength <= 1
  if (isOwn) buffer.transfer(0)
}
