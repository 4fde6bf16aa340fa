// Text that people give things as names: one line, whole characters, nothing invisible that steers a terminal or a page.
import { z } from 'zod'

// C0, C1, line and paragraph separators, bidirectional controls and marks, what has no width (but the joiners that scripts and emoji need).
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const unwanted = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

/** Whether `text` is well-formed Unicode without control or direction characters. */
const isPlainText = (text: string): boolean => text.isWellFormed() && !unwanted.test(text)

/** A zod string of 1 to `max` characters after trimming, in NFC. */
export const plainText = (max: number) =>
  z.string().trim().normalize('NFC').min(1).max(max).refine(isPlainText, 'Contains characters that are not allowed')
