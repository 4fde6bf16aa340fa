// The inside of a workspace's archive: lists as lines of JSON, then files, then what is in it and what could not be.
import { Failure, isFailure } from '../../errors'
import { type Page, PageQuery } from '../../lib/page'
import { tarEnd, tarHeader, tarPadding } from '../../lib/tar'
import { rfc3339 } from '../../lib/time'
import type { BlobBody } from '../../ports'

/** Reads one page of something; none of it holds a secret. */
type List<T extends object = object> = (query: PageQuery) => Promise<Page<T>>
type Version = { version: number; size: number; created_at: string }
export type Contents = {
  workspace: object
  /** By the folder that their lines are found in. */
  lists: Record<string, List>
  projects: List<{ id: string }>
  projectMembers: (projectId: string) => List
  files: (projectId: string) => List<{ id: string }>
  /** @throws Failure `not_found`, as the next */
  versions: (fileId: string) => List<Version>
  /** @throws Failure `not_found` where it was deleted since; `internal` where its bytes are not there. */
  open: (fileId: string, version: number) => Promise<BlobBody>
  /** As lines. What is opened here is read to its end, or cancelled. */
  audit: () => Promise<ReadableStream<Uint8Array>>
}
type Bytes = AsyncGenerator<Uint8Array, void, undefined>
type Missing = { file: string; why: 'deleted' | 'unreadable' }

const text = new TextEncoder()
const partBytes = 1 << 20
const pageRows = 100

async function* pagesOf<T extends object>(list: List<T>): AsyncGenerator<T[]> {
  for (let cursor: string | undefined; ; ) {
    const page = await list(PageQuery.parse({ limit: pageRows, cursor }))
    yield page.data
    if (page.next_cursor === null) return
    cursor = page.next_cursor
  }
}

async function* bytesOf(body: BlobBody): Bytes {
  if (body instanceof Uint8Array) yield body
  else for await (const chunk of new Response(body).body ?? []) yield chunk
}

/** Entries of an archive, and what was put into it. `now` in ms. */
const createEntries = (now: () => number) => {
  const [counts, parts] = [{} as Record<string, number>, {} as Record<string, number>]
  const count = (what: string, more: number): void => {
    counts[what] = (counts[what] ?? 0) + more
  }
  function* entry(name: string, bytes: Uint8Array) {
    yield tarHeader(name, bytes.length, now())
    yield bytes
    yield tarPadding(bytes.length)
  }
  function* part(folder: string, bytes: Uint8Array) {
    if (bytes.length === 0) return
    const number = (parts[folder] ?? 0) + 1
    parts[folder] = number
    yield* entry(`${folder}/${String(number).padStart(6, '0')}.jsonl`, bytes)
  }
  return {
    counts,
    json: (name: string, value: object) => entry(name, text.encode(`${JSON.stringify(value)}\n`)),
    part,
    *lines(folder: string, rows: readonly object[]) {
      count(folder, rows.length)
      yield* part(folder, text.encode(rows.map((row) => `${JSON.stringify(row)}\n`).join('')))
    },
    /** What has begun comes whole, or the archive breaks off. */
    async *file(name: string, size: number, changedAt: number, chunks: AsyncIterable<Uint8Array>): Bytes {
      yield tarHeader(name, size, changedAt)
      let left = size
      for await (const chunk of chunks) {
        left -= chunk.length
        yield chunk
      }
      if (left !== 0) throw new Error('a file is not as long as it was said to be')
      yield tarPadding(size)
      count('files', 1)
      count('bytes', size)
    },
  }
}

type Entries = ReturnType<typeof createEntries>

/** Why something is not there; what else went wrong is thrown on. */
const whyMissing = (error: unknown): Missing['why'] => {
  if (error instanceof Failure && !['not_found', 'internal'].includes(error.code)) throw error
  return isFailure(error, 'not_found') ? 'deleted' : 'unreadable'
}

/** Builds `file(id)`: every version of a file, or a word in `missing` on what is not there. */
const createFiles = (contents: Pick<Contents, 'versions' | 'open'>, entries: Entries, missing: Missing[]) => {
  async function* bytes(id: string, { version, size, created_at }: Version): Bytes {
    const name = `files/${id}/${version}`
    let begun: { chunks: Bytes; first: IteratorResult<Uint8Array, void> }
    try {
      const chunks = bytesOf(await contents.open(id, version))
      begun = { chunks, first: await chunks.next() }
    } catch (error) {
      missing.push({ file: name, why: whyMissing(error) })
      return
    }
    const { chunks, first } = begun
    const all = async function* () {
      if (!first.done) yield first.value
      yield* chunks
    }
    try {
      yield* entries.file(name, size, Date.parse(created_at), all())
    } finally {
      await chunks.return()
    }
  }

  return async function* file(id: string): Bytes {
    const found: Version[] = []
    try {
      for await (const page of pagesOf(contents.versions(id))) found.push(...page)
    } catch (error) {
      missing.push({ file: `files/${id}`, why: whyMissing(error) })
      return
    }
    yield* entries.lines(
      'versions',
      found.map((version) => ({ media_id: id, ...version })),
    )
    for (const version of found) yield* bytes(id, version)
  }
}

/** Lines as they come, cut into parts. */
async function* partsOf(lines: ReadableStream<Uint8Array>, part: Entries['part']): Bytes {
  let [waiting, size]: [Uint8Array[], number] = [[], 0]
  for await (const chunk of lines) {
    waiting.push(chunk)
    size += chunk.length
    if (size < partBytes) continue
    yield* part('audit', Buffer.concat(waiting))
    ;[waiting, size] = [[], 0]
  }
  yield* part('audit', Buffer.concat(waiting))
}

/**
 * The archive, made while it is read, and never held. Each page is as it stood when it was read, the newest first: what is
 * made meanwhile is not in it, and what is deleted meanwhile is named in the manifest if it had been listed. `now` in ms.
 */
export async function* archiveOf(contents: Contents, now: () => number): Bytes {
  const [entries, missing, beganAt] = [createEntries(now), [] as Missing[], now()]
  const file = createFiles(contents, entries, missing)
  yield* entries.json('workspace.json', contents.workspace)
  for (const [folder, list] of Object.entries(contents.lists))
    for await (const rows of pagesOf(list)) yield* entries.lines(folder, rows)
  for await (const projects of pagesOf(contents.projects))
    for (const { id } of projects) {
      for await (const rows of pagesOf(contents.projectMembers(id)))
        yield* entries.lines(
          'project-members',
          rows.map((row) => ({ project_id: id, ...row })),
        )
      for await (const rows of pagesOf(contents.files(id))) {
        yield* entries.lines('media', rows)
        for (const row of rows) yield* file(row.id)
      }
    }
  yield* partsOf(await contents.audit(), entries.part)
  const times = { began_at: rfc3339(beganAt), ended_at: rfc3339(now()) }
  yield* entries.json('manifest.json', { latchkey_workspace: 1, ...times, counts: entries.counts, missing })
  yield tarEnd()
}
