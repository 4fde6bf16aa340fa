// The ordered list of migrations, as text: the same on every runtime and inside the binary. Never edit a released one.
import house from './0001_house.sql' with { type: 'text' }
import accounts from './0002_accounts.sql' with { type: 'text' }
import signIn from './0002_sign_in.sql' with { type: 'text' }
import access from './0003_access.sql' with { type: 'text' }
import nodes from './0005_nodes.sql' with { type: 'text' }
import limits from './0006_limits.sql' with { type: 'text' }
import links from './0007_links.sql' with { type: 'text' }
import uploads from './0008_uploads.sql' with { type: 'text' }
import workspaceKeys from './0009_workspace_keys.sql' with { type: 'text' }
import versions from './0010_versions.sql' with { type: 'text' }
import auditOrder from './0011_audit_order.sql' with { type: 'text' }
import live from './0012_live.sql' with { type: 'text' }
import uploadMakers from './0013_upload_makers.sql' with { type: 'text' }
import auditAnew from './0014_audit_anew.sql' with { type: 'text' }

export type Migration = Readonly<{ name: string; text: string }>

/** Each statement ends with a semicolon at the end of its line. */
export const migrations: readonly Migration[] = [
  { name: '0001_house', text: house },
  { name: '0002_accounts', text: accounts },
  { name: '0002_sign_in', text: signIn },
  { name: '0003_access', text: access },
  { name: '0005_nodes', text: nodes },
  { name: '0006_limits', text: limits },
  { name: '0007_links', text: links },
  { name: '0008_uploads', text: uploads },
  { name: '0009_workspace_keys', text: workspaceKeys },
  { name: '0010_versions', text: versions },
  { name: '0011_audit_order', text: auditOrder },
  { name: '0012_live', text: live },
  { name: '0013_upload_makers', text: uploadMakers },
  { name: '0014_audit_anew', text: auditAnew },
]
