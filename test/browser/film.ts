// A small film to upload and play, made once a run.
let made: Promise<Buffer> | undefined

/** Twenty seconds of WebM, some hundred kilobytes. */
export const film = (): Promise<Buffer> => {
  made ??= (async () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=duration=20:size=320x240:rate=8']
    const coding = ['-c:v', 'libvpx', '-b:v', '300k', '-deadline', 'realtime', '-cpu-used', '8', '-f', 'webm', '-']
    const ffmpeg = Bun.spawn(['ffmpeg', '-loglevel', 'error', ...source, ...coding], { stdout: 'pipe', stderr: 'pipe' })
    const bytes = Buffer.from(await new Response(ffmpeg.stdout).arrayBuffer())
    if (bytes.length === 0) throw new Error(await new Response(ffmpeg.stderr).text())
    return bytes
  })()
  return made
}
