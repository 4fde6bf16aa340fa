// Every table, by area. Instants are ms since 1970 UTC. Held equal to the migrations by test/migrations.test.ts.
export * from './schema/accounts'
export * from './schema/audit'
export * from './schema/instance'
export * from './schema/limits'
export * from './schema/media'
export * from './schema/people'
export * from './schema/sign-in'
export * from './schema/tenants'
