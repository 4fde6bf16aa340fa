// A file that comes in a form, as a page without a script sends it. Small ones alone, and read as they come.
import { Failure } from '../../errors'
import { readFormFile } from '../../lib/multipart'
import { FileName } from '../media/model'
import { declaredType, type RawHeaders } from './model'

type Body = ReadableStream<Uint8Array> | null

const maxFormBytes = 32 * 1024 * 1024
/** What boundaries and the head of the file may come to. */
const spareBytes = 16 * 1024

/**
 * What was sent: the body itself, or the one file in the form that it is.
 * @throws Failure `too_large`, `malformed`, `invalid`; `unsupported_type` for a digest, which would be that of the form.
 */
export const unwrapForm = async (sent: RawHeaders, body: Body): Promise<{ sent: RawHeaders; body: Body }> => {
  if (sent.form === null) return { sent, body }
  if (sent.encoding !== 'identity' || sent.sha256.length > 0)
    throw new Failure('unsupported_type', 'A form is sent without coding and without a digest')
  if (sent.bytes !== null && sent.bytes > maxFormBytes + spareBytes)
    throw new Failure('too_large', `At most ${maxFormBytes} bytes in a form: send the file itself`)
  const file = await readFormFile(body, sent.form, maxFormBytes)
  const name = FileName.safeParse(file.name)
  if (!name.success) {
    await file.bytes.cancel()
    throw new Failure('invalid', 'The file in the form has no name that can be kept')
  }
  return { sent: { ...sent, name: name.data, declaredType: declaredType(file.type), bytes: null }, body: file.bytes }
}
