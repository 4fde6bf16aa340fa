// An instant: how long ago, and exactly when on hover.
import { ago, inFull, useNow } from '../time'

export const Ago = ({ at }: { at: string }) => (
  <time dateTime={at} title={inFull(at)}>
    {ago(at, useNow(30_000))}
  </time>
)
