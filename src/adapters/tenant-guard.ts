// What a statement is, from its text alone: how many parameters it takes and whether it only reads.

export type Findings = { parameters: number; reads: boolean; tenantOnly: boolean; refusal: string | undefined }

export const inspect = (sql: string): Findings => ({
  parameters: sql.split('?').length - 1,
  reads: /^\s*(select|with)\b/i.test(sql),
  tenantOnly: true,
  refusal: undefined,
})
