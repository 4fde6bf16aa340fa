// A JSON schema as a type that people read: `{ name: string, level?: "read" | "write" }`.

type Json = Record<string, unknown>

const listOf = (item: string) => (/ \| /.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`)
const indent = (text: string) => text.replaceAll('\n', '\n  ')

const scalar = ({ type, format, minLength, maxLength, minimum, maximum }: Json): string => {
  if (type === 'null') return 'null'
  const largest = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum
  const bounds = [
    ...(format === undefined ? [] : [String(format)]),
    ...(maxLength === undefined ? [] : [`${minLength ?? 0}–${maxLength} characters`]),
    ...(largest === undefined ? [] : [`${minimum ?? '…'}–${largest}`]),
  ]
  return bounds.length > 0 ? `${String(type)} (${bounds.join(', ')})` : String(type)
}

const fieldsOf = (properties: Json, required: readonly string[]): string =>
  Object.entries(properties)
    .map(([name, schema]) => {
      const { default: preset } = schema as Json
      const note = preset === undefined ? '' : `  // ${JSON.stringify(preset)} by default`
      return `\n  ${name}${required.includes(name) ? '' : '?'}: ${indent(typeOf(schema as Json))}${note}`
    })
    .join('')

/** The text of a schema as zod writes it (draft 2020-12, without references). */
export const typeOf = (schema: Json): string => {
  const { anyOf, enum: values, const: value, type, items, properties, required = [], additionalProperties } = schema
  if (Array.isArray(values)) return values.map((v) => JSON.stringify(v)).join(' | ')
  if (value !== undefined) return JSON.stringify(value)
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map((s) => typeOf(s as Json)))].join(' | ')
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' | ')
  if (type === 'array') return listOf(typeOf((items ?? {}) as Json))
  if (type !== 'object') return type === undefined ? 'anything' : scalar(schema)
  const known = fieldsOf((properties ?? {}) as Json, required as string[])
  if (known !== '') return `{${known}\n}`
  const others =
    additionalProperties && typeof additionalProperties === 'object' ? (additionalProperties as Json) : null
  return others ? `{ [name]: ${typeOf(others)} }` : '{}'
}
