// Text that people give things as names: one line, whole characters, nothing invisible that steers a terminal or a page.
import { z } from 'zod'

// C0, C1, line and paragraph separators, bidirectional controls.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const unwanted = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** Whether `text` is well-formed Unicode without control or direction characters. */
export const isPlainText = (text: string): boolean => text.isWellFormed() && !unwanted.test(text)

/** A zod string of 1 to `max` characters after trimming, in NFC. */
export const plainText = (max: number) =>
  z.string().trim().normalize('NFC').min(1).max(max).refine(isPlainText, 'Contains characters that are not allowed')
