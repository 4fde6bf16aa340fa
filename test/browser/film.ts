// Films to upload and play, made once a run.
const make = async (seconds: number, rate: number, kilobits: number): Promise<Buffer> => {
  // Noise, or there would be nothing to spend the bits on.
  const source = ['-f', 'lavfi', '-i', `testsrc2=duration=${seconds}:size=320x240:rate=${rate},noise=alls=80:allf=t`]
  const coding = ['-c:v', 'libvpx', '-b:v', `${kilobits}k`, '-minrate', `${kilobits}k`, '-maxrate', `${kilobits}k`]
  const quick = ['-deadline', 'realtime', '-cpu-used', '8', '-f', 'webm', '-']
  const command = ['ffmpeg', '-loglevel', 'error', ...source, ...coding, ...quick]
  const ffmpeg = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
  const bytes = Buffer.from(await new Response(ffmpeg.stdout).arrayBuffer())
  if (bytes.length === 0) throw new Error(await new Response(ffmpeg.stderr).text())
  return bytes
}

const made = new Map<string, Promise<Buffer>>()
const once =
  (...wanted: Parameters<typeof make>) =>
  () => {
    const name = wanted.join()
    const film = made.get(name) ?? make(...wanted)
    made.set(name, film)
    return film
  }

/** Twenty seconds of WebM, some hundred kilobytes. */
export const film = once(20, 8, 300)
/** Sixty seconds, more than a browser reads ahead. */
export const longFilm = once(60, 3, 3000)
