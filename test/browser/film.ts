// Films to upload and play, made once a run.
const make = async (...parts: string[]): Promise<Buffer> => {
  const command = ['ffmpeg', '-loglevel', 'error', '-f', 'lavfi', '-i', ...parts, '-']
  const ffmpeg = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
  const bytes = Buffer.from(await new Response(ffmpeg.stdout).arrayBuffer())
  if (bytes.length === 0) throw new Error(await new Response(ffmpeg.stderr).text())
  return bytes
}

const once = (...parts: string[]) => {
  let made: Promise<Buffer> | undefined
  return () => {
    made ??= make(...parts)
    return made
  }
}

const webm = '-c:v libvpx -b:v 300k -deadline realtime -cpu-used 8 -f webm'
const mp4 = '-c:v libx264 -preset ultrafast -qp 2 -pix_fmt yuv420p -g 10 -movflags frag_keyframe+empty_moov -f mp4'

/** Twenty seconds of WebM, some hundred kilobytes. */
export const film = once('testsrc2=duration=20:size=320x240:rate=8', ...webm.split(' '))
/** A minute of MP4, some forty megabytes of noise: more than a browser reads ahead. */
export const longFilm = once('testsrc2=duration=60:size=640x480:rate=1,noise=alls=100:allf=t', ...mp4.split(' '))
