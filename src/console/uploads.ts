// The files on their way from this tab. They go on while other pages are looked at.
import { type Signal, signal } from '@preact/signals'
import type { Problem } from './send'
import { workspaceId } from './session'
import { createUpload, type Upload } from './upload'

export type Sending = {
  id: string
  name: string
  bytes: number
  workspace: string | null
  project: string
  sent: Signal<number>
  state: Signal<'sending' | 'paused' | 'done' | Problem>
  upload: Upload
}

export const uploads = signal<readonly Sending[]>([])
/** Counts what has arrived, for lists to read anew. */
export const arrived = signal(0)

let made = 0

const remove = ({ id }: Sending) => {
  uploads.value = uploads.value.filter((one) => one.id !== id)
}

export const run = async (one: Sending): Promise<void> => {
  one.state.value = 'sending'
  const outcome = await one.upload.run()
  one.state.value = typeof outcome === 'object' ? outcome.problem : outcome
  if (outcome !== 'done') return
  remove(one)
  arrived.value++
}

export const cancel = (one: Sending): void => {
  remove(one)
  void one.upload.cancel()
}

/** Begins to send each of the files to a project of the workspace that is open. */
export const sendFiles = (files: readonly File[], project: string): void => {
  const workspace = workspaceId.peek()
  const headers = (): Record<string, string> => (workspace ? { 'x-workspace-id': workspace } : {})
  for (const file of files) {
    const sent = signal(0)
    const upload = createUpload(file, { headers, project }, (bytes) => {
      sent.value = bytes
    })
    const state: Sending['state'] = signal('sending')
    const { name, size: bytes } = file
    const one = { id: String(made++), name, bytes, workspace, project, sent, state, upload }
    uploads.value = [...uploads.value, one]
    void run(one)
  }
}

// Without a connection a request may hang for long; with it, what stopped goes on.
addEventListener('offline', () => {
  for (const { state, upload } of uploads.peek()) if (state.peek() === 'sending') upload.lose()
})
addEventListener('online', () => {
  for (const one of uploads.peek()) {
    const state = one.state.peek()
    if (typeof state === 'object' && state.code === 'offline') void run(one)
  }
})

addEventListener('beforeunload', (event) => {
  if (uploads.peek().some(({ state }) => state.peek() === 'sending')) event.preventDefault()
})
