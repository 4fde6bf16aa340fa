// Long work in pieces: one piece at a time, whoever it is for, and time for everything else between two.

/** Builds `inTurn(piece)`: runs it once those before it are done and `pause` has let other work go on. */
export const createTurns = (pause: () => Promise<void>) => {
  let free: Promise<unknown> = Promise.resolve()
  return <T>(piece: () => Promise<T>): Promise<T> => {
    const done = free.then(piece)
    free = done.then(pause, pause)
    return done
  }
}
export type InTurn = ReturnType<typeof createTurns>
