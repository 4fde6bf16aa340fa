// How the bytes of a file lie in the store: plain, or sealed under a key of their own that the workspace's key wraps.
import { Failure, isFailure } from '../../errors'
import type { WorkspaceKeys } from '../../keyring/workspace-keys'
import { randomBytes, seal, unseal } from '../../lib/crypto'
import { createSegments, sealedSize, segmentsOf } from '../../lib/segments'
import type { BlobBody, Blobs, ByteRange, Hold, Log, Pour, StagedBlob } from '../../ports'
import { type SavedSeal, sealInto } from './seal'
import type { MediaRow } from './store'
import { Damaged, openSealed } from './unseal'

/** What the key of a file's bytes is bound to: it opens for no other row, nor for this one altered. */
type Version = Pick<MediaRow, 'workspaceId' | 'id' | 'version' | 'size' | 'blob'>
type Place = Pick<Version, 'workspaceId' | 'blob'>
const versionPlace = ({ workspaceId, id, version, size, blob }: Version): string =>
  JSON.stringify(['version', workspaceId, id, version, blob, size, segmentsOf(size)])
const stagedPlace = ({ workspaceId, blob }: Place): string => JSON.stringify(['staged', workspaceId, blob])

/** Bytes on their way in. What `save` gives holds neither a plain byte nor a bare key, where they are sealed. */
export type Shelved = StagedBlob & {
  /** The `key` for the row that is to have them. */
  keyFor(version: Version): string | null
  /** Reads `size` bytes that were published, and have no row yet. */
  open(size: number, range: ByteRange, hold: () => Hold): Promise<BlobBody>
}
/** The workspace's, and the one of the bytes that it wraps. */
type Keys = { outer: Uint8Array; key: Uint8Array }
type Saved = { inner: string } | (SavedSeal & { key: string })

type Deps = { blobs: Blobs; pour: Pour; keys: WorkspaceKeys; log: Log; encryption: 'on' | 'off' }

/** The one way to the bytes of files. Plain and sealed ones are read side by side; `encryption` is of new ones. */
export const createShelf = ({ blobs, pour, keys, log, encryption }: Deps) => {
  const lost = (what: string, file: { id?: string; blob: string }, cause: unknown): Failure => {
    log.error({ media: file.id, blob: file.blob }, what)
    return new Failure('internal', undefined, { cause })
  }
  const openWith = (
    key: Uint8Array,
    file: Place & { id?: string; size: number },
    range: ByteRange,
    hold: () => Hold,
  ) => {
    const damaged = (cause: Damaged) => void lost('media damaged', file, cause)
    return openSealed({ blobs, pour, damaged }, { ...file, segments: createSegments(key, [file.blob]) }, range, hold)
  }

  const plain = (staged: StagedBlob, { blob }: Place): Shelved => ({
    ...staged,
    save: async () => JSON.stringify({ inner: await staged.save() } satisfies Saved),
    keyFor: () => null,
    open: (size, range, hold) => blobs.open(blob, size, range, hold),
  })
  const sealed = async (inner: StagedBlob, place: Place, { outer, key }: Keys, from?: SavedSeal): Promise<Shelved> => {
    const staged = sealInto(inner, createSegments(key, [place.blob]), from)
    const wrapped = seal(outer, key, stagedPlace(place))
    return {
      ...staged,
      save: async () => JSON.stringify({ ...(await staged.save()), key: wrapped } satisfies Saved),
      keyFor: (version) => seal(outer, key, versionPlace(version)),
      open: (size, range, hold) => openWith(key, { ...place, size }, range, hold),
    }
  }

  const unwrap = async ({ workspaceId }: Place, wrapped: string, place: string): Promise<Keys> => {
    const outer = await keys.find(workspaceId, 'media')
    if (!outer) throw new Damaged('The key of the workspace is gone')
    try {
      return { outer, key: unseal(outer, wrapped, place) }
    } catch (cause) {
      throw new Damaged('The key of the bytes does not open', { cause })
    }
  }
  const orLost = <T>(file: Parameters<typeof lost>[1], work: Promise<T>): Promise<T> =>
    work.catch((cause) => {
      throw cause instanceof Damaged ? lost('media damaged', file, cause) : cause
    })

  return {
    remove: blobs.remove,
    /** As `Blobs.stage`, for a workspace. */
    async stage(place: Place, expectedBytes: number | null): Promise<Shelved> {
      if (encryption === 'off') return plain(await blobs.stage(place.blob, expectedBytes), place)
      const outer = await keys.get(place.workspaceId, 'media')
      const inner = await blobs.stage(place.blob, expectedBytes === null ? null : sealedSize(expectedBytes))
      return sealed(inner, place, { outer, key: randomBytes(32) })
    },

    /** As `Blobs.resume`, from what `save` of a Shelved gave, whatever `encryption` says by now. */
    async resume(place: Place, text: string): Promise<Shelved> {
      const saved: Saved = JSON.parse(text)
      const inner = await blobs.resume(place.blob, saved.inner)
      if (!('key' in saved)) return plain(inner, place)
      const resuming = async () => sealed(inner, place, await unwrap(place, saved.key, stagedPlace(place)), saved)
      return orLost(place, resuming()).catch(async (error) => {
        await inner.pause()
        throw error
      })
    },

    /** Forgets what was saved, published since or not; where nothing was, there is nothing to forget. It needs no key. */
    async forget({ blob, saved }: { blob: string | null; saved: string | null }): Promise<void> {
      if (blob === null || saved === null) return
      const staged = await blobs.resume(blob, (JSON.parse(saved) as Saved).inner).catch((error) => {
        if (isFailure(error, 'not_found')) return null
        throw error
      })
      await staged?.discard()
      await blobs.remove(blob)
    },

    /**
     * As `Blobs.open`, of a file. @throws Failure `internal`, after an event, where its bytes are not there or not what was
     * stored; where only a later byte shows that, the stream breaks off.
     */
    async open(file: Version & Pick<MediaRow, 'key'>, range: ByteRange, hold: () => Hold): Promise<BlobBody> {
      const opening = async () => {
        if (file.key === null) return blobs.open(file.blob, file.size, range, hold)
        const { key } = await unwrap(file, file.key, versionPlace(file))
        return openWith(key, file, range, hold)
      }
      try {
        return await orLost(file, opening())
      } catch (cause) {
        throw isFailure(cause, 'not_found') ? lost('media without its object', file, cause) : cause
      }
    },
  }
}
export type Shelf = ReturnType<typeof createShelf>
