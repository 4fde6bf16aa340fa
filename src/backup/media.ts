// The media of an instance: where it lies, and whether each is there as its row says.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createDiskBlobs } from '../adapters/blobs-disk'
import type { S3, S3Entry } from '../adapters/s3'
import { createShelf } from '../features/media/shelf'
import type { Keyring } from '../keyring'
import { createWorkspaceKeys } from '../keyring/workspace-keys'
import { sealedSize } from '../lib/segments'
import { noHold } from '../lib/stream'
import type { Clock, Database, Log } from '../ports'
import { createRevocations } from '../revocation'
import { createUnaudited } from '../write'
import { told } from './place-s3'
import type { Medium } from './snapshot'

/** How large an object is as it lies there, asked in the order of keys; null where there is none. */
type SizeOf = (blob: string) => Promise<number | null>

/** `included`: goes into backups and comes out of them. `referenced`: they say where it is (`at`), and leave it there. */
export type MediaAt = { kind: 'included'; folder: string } | { kind: 'referenced'; at: string; sizes: () => SizeOf }

export const sizesInFolder = (folder: string) => (): SizeOf => (blob) =>
  stat(join(folder, 'objects', blob)).then(
    ({ size }) => size,
    () => null,
  )

/** One listing for all that is asked. @throws Error, as a sentence */
export const sizesInBucket = (s3: S3) => (): SizeOf => {
  const entries = s3.list('objects/')[Symbol.asyncIterator]()
  const more = () => entries.next().catch(told)
  let found: IteratorResult<S3Entry> | undefined
  return async (blob) => {
    const key = `objects/${blob}`
    found ??= await more()
    while (!found.done && found.value.key < key) found = await more()
    return !found.done && found.value.key === key ? found.value.size : null
  }
}

/** How many bytes a medium takes where it lies. */
export const storedSize = ({ key, size }: Medium): number => (key === null ? size : sealedSize(size))

/** Tells whether something of the right size lies there; of media in the order of its keys. */
export const isStored = (media: MediaAt): ((medium: Medium) => Promise<boolean>) => {
  const sizeOf = (media.kind === 'included' ? sizesInFolder(media.folder) : media.sizes)()
  return async (medium) => (await sizeOf(medium.blob)) === storedSize(medium)
}

const pieceBytes = 1 << 20
const silent: Log = { info() {}, warn() {}, error() {}, request() {}, flush() {} }
const noPour = () => {
  throw new Error('read in pieces, which come at once')
}

/** Tells whether the bytes of a medium in `folder` are those that were uploaded, by the keys of the database it is of. */
export const createProof = ({
  db,
  keyring,
  clock,
  folder,
}: {
  db: Database
  keyring: Keyring
  clock: Clock
  folder: string
}) => {
  const base = { db, unaudited: createUnaudited(db), revocations: createRevocations(db), clock }
  const keys = createWorkspaceKeys({ ...base, keyring })
  const blobs = createDiskBlobs({ folder, minFreeBytes: 0 })
  const shelf = createShelf({ blobs, pour: noPour, keys, log: silent, encryption: 'off' })

  const digestOf = async (medium: Medium): Promise<string> => {
    const digest = createHash('sha256')
    for (let start = 0; start === 0 || start < medium.size; start += pieceBytes) {
      const range = { start, end: Math.min(start + pieceBytes, medium.size) }
      digest.update(new Uint8Array(await new Response(await shelf.open(medium, range, noHold)).arrayBuffer()))
    }
    return digest.digest('hex')
  }
  return (medium: Medium): Promise<boolean> =>
    digestOf(medium).then(
      (digest) => digest === medium.sha256,
      () => false,
    )
}
