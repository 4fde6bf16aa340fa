// Sends one file, with progress: the raw body of one request.
import type { Problem } from './send'

export type Target = { workspace: string | null; project: string }
export type Outcome = 'done' | 'stopped' | Problem

const problemIn = ({ responseText }: XMLHttpRequest): Problem => {
  try {
    return { code: (JSON.parse(responseText) as Problem).code ?? 'internal' }
  } catch {
    return { code: 'internal' }
  }
}

/** `progress` is told how many bytes are gone. By XMLHttpRequest: fetch does not tell how far a body is. */
export const createUpload = (file: File, { workspace, project }: Target, progress: (bytes: number) => void) => {
  let xhr = new XMLHttpRequest()
  return {
    /** Sends it, from the beginning. */
    run: (): Promise<Outcome> =>
      new Promise((resolve) => {
        xhr = new XMLHttpRequest()
        xhr.open('POST', '/api/media')
        if (workspace) xhr.setRequestHeader('x-workspace-id', workspace)
        xhr.setRequestHeader('x-project-id', project)
        xhr.setRequestHeader('x-file-name', encodeURIComponent(file.name))
        xhr.upload.onprogress = ({ loaded }) => progress(loaded)
        xhr.onload = () => resolve(xhr.status === 201 ? 'done' : problemIn(xhr))
        xhr.onerror = () => resolve({ code: 'offline' })
        xhr.onabort = () => resolve('stopped')
        xhr.send(file)
      }),
    stop: () => xhr.abort(),
  }
}
export type Upload = ReturnType<typeof createUpload>
