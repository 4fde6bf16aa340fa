// The tenant guard: what it lets through, what it refuses, and that nothing it lets through shows another workspace's rows.
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from '../src/adapters/tenant-guard'
import lock from './tenant-guard.lock.json'

const root = join(import.meta.dir, '..')

const permitted = [
  'select "id" from "projects" where "projects"."workspace_id" = ?',
  'select "id" from "projects" where ("projects"."workspace_id" = ? and ("projects"."id" = ? or "projects"."slug" = ?))',
  'select id from projects where ? = workspace_id',
  'SELECT Id FROM Projects AS P WHERE P.Workspace_Id = ?',
  'select "id" from "media" where ("media"."created_at" between ? and ? and "media"."workspace_id" = ?)',
  'select 1 from "members" "m" inner join "projects" "p" on "p"."workspace_id" = "m"."workspace_id" where "m"."workspace_id" = ?',
  'select 1 from members m left join projects p on p.workspace_id = m.workspace_id and p.id = ? where m.workspace_id = ?',
  'select 1 from members m, projects p where p.workspace_id = ? and m.workspace_id = p.workspace_id',
  'select 1 from workspaces w join members m on m.workspace_id = w.workspace_id where w.workspace_id = ?',
  'select 1 from projects p where p.workspace_id = ? and exists (select 1 from members m where m.workspace_id = p.workspace_id)',
  'select 1 from projects where workspace_id = ? union all select 2 from members where workspace_id = ?',
  'with mine as (select id from projects where workspace_id = ?) select id from mine',
  'select x.id from (select id from projects where workspace_id = ?) x',
  'select id from projects where workspace_id = ? and id in (select value from json_each(?))',
  'select id, case when restricted = 1 or is_default = 1 then 1 else 0 end from projects where workspace_id = ? order by id limit ?',
  'insert into "guards" ("failed") select 0 where not (exists (select 1 from "members" where "members"."workspace_id" = ?))',
  'insert into members (workspace_id, user_id, role, created_at) values (?, ?, ?, ?), (?, ?, ?, ?)',
  'insert into members (user_id, workspace_id, role, created_at) select ?, ?, ?, ? where exists (select 1 from users where id = ?)',
  'insert into members (workspace_id, user_id) select p.workspace_id, p.id from projects p where p.workspace_id = ?',
  'insert into members (workspace_id, user_id) values (?, ?) on conflict do nothing returning workspace_id',
  'insert into members (workspace_id, user_id) values (?, ?) on conflict (workspace_id, user_id) do update set role = ?',
  'insert into members (workspace_id, user_id) values (?, ?) on conflict ("members"."workspace_id", user_id) do update set role = ?',
  'update "members" set "role" = ? where ("members"."workspace_id" = ? and "members"."user_id" = ?) returning "role"',
  'update members set role = (select name from users where id = user_id) where workspace_id = ?',
  'update projects set name = m.role from members m where projects.workspace_id = ? and m.workspace_id = projects.workspace_id',
  'delete from members where workspace_id = ? and not (user_id = ? or role = ?)',
  'select * from users where id = ?',
  'delete from outbox where due_at < ?',
  'select projects from api_keys where workspace_id = ?',
]

const refused = [
  // nothing bound, or not to a parameter
  'select * from members',
  'select * from members where user_id = ?',
  'select * from members where workspace_id = 1',
  'select * from members where workspace_id = workspace_id',
  'select * from members m where m.workspace_id = members.workspace_id',
  'select * from members a, members b where a.workspace_id = b.workspace_id and b.workspace_id = a.workspace_id',
  'select * from members where workspace_id in (?)',
  'select * from members where workspace_id in (select workspace_id from workspaces)',
  'select * from members where workspace_id >= ?',
  'select * from members where workspace_id == ?',
  'select * from members where workspace_id is not ?',
  'select * from members where (workspace_id = ?) = 0',
  'select * from members where (workspace_id = ?) is null',
  'select * from members where -workspace_id = ?',
  'select * from members where workspace_id = ? + user_id',
  'select * from members where workspace_id = coalesce(?, workspace_id)',
  'select * from members where "workspace_id = ?" = ?',
  "select * from members where 'workspace_id' = ?",
  'select workspace_id = ? from members',
  'select * from members order by workspace_id = ?',
  'select count(*) from members having workspace_id = ?',
  'select count(*) filter (where workspace_id = ?) from members',
  // bound, but not surely
  'select * from members where workspace_id = ? or 1',
  'select * from members where workspace_id = ? and user_id = ? or 1',
  'select * from members where (user_id = ? or workspace_id = ?)',
  'select * from members where not workspace_id = ?',
  'select * from members where not (user_id = ? and workspace_id = ?)',
  'select * from members where 1 between 0 and workspace_id = ?',
  'select * from members where case when 1 then 1 when 0 and workspace_id = ? and 1 then 0 end',
  'select * from members where iif(1, 1, workspace_id = ?)',
  'select * from members where (select workspace_id = ?)',
  // another table, or another alias
  'select * from members m, projects p where m.workspace_id = ?',
  'select * from members m join projects p on p.id = m.user_id where m.workspace_id = ?',
  'select * from members, projects where workspace_id = ?',
  'select * from users as members, projects where projects.workspace_id = members.workspace_id',
  'select * from members m, projects m where m.workspace_id = ?',
  'select * from workspaces w join members m on m.workspace_id = w.workspace_id where w.id = ?',
  'select * from users u join members m on m.workspace_id = u.workspace_id where u.id = ?',
  'select * from (select ? as workspace_id) x join members m on m.workspace_id = x.workspace_id',
  // joins
  'select * from members m left join users u on m.workspace_id = ?',
  'select * from members m left join projects p on m.workspace_id = ? and p.workspace_id = m.workspace_id',
  'select * from users u left join members m on u.id = m.user_id and u.id = ? or m.workspace_id = ?',
  'select * from projects p right join members m on p.workspace_id = ? and m.workspace_id = p.workspace_id',
  'select * from projects p full outer join members m on m.workspace_id = ?',
  'select * from projects natural join members where projects.workspace_id = ?',
  'select * from projects p join members m using (workspace_id) where p.workspace_id = ?',
  'select * from (members) where workspace_id = ?',
  'select * from (members m join projects p) where m.workspace_id = ?',
  // subqueries, compounds, CTEs
  'select * from projects where workspace_id = ? union select * from projects',
  'select * from projects where workspace_id = ? and exists (select 1 from members)',
  'select (select count(*) from members) from users where id = ?',
  'select * from users order by (select max(created_at) from members)',
  'select * from users limit (select count(*) from members)',
  'select * from users where id in members',
  'select * from users where id in (select user_id from members)',
  'select * from users join projects on (select 1 from members) where projects.workspace_id = ?',
  'select * from (select * from members) x',
  'with m as (select * from members) select * from m where workspace_id = ?',
  'with members as (select 1) select * from members where workspace_id = ?',
  'with recursive r as (select user_id from members where workspace_id = ? union select m.user_id from members m, r) select * from r',
  'select value from json_each((select group_concat(user_id) from members))',
  // names written another way
  "select * from 'members'",
  'select * from [members]',
  'select * from `members`',
  'select * from main.members',
  'select * from "main"."members" where workspace_id = ?',
  'select * from MEMBERS',
  'select * from/**/members',
  'select * from members -- where workspace_id = ?',
  'select * from members where user_id = ? /* and */ and workspace_id = ?',
  'select * from "mem""bers"',
  'select * from members\u00a0where',
  'select * from sqlite_schema',
  "select * from pragma_table_info('members')",
  'select * from nothing_known',
  // several statements, other statements, other parameters
  'select 1; delete from members',
  'select 1;',
  'pragma query_only = off',
  "attach 'x' as y",
  'vacuum',
  'begin',
  'commit',
  'drop table members',
  'explain select 1',
  'select * from members where workspace_id = ?1',
  'select * from members where workspace_id = :w',
  'select * from members where workspace_id = $w',
  'select (1',
  'select 1)',
  '',
  // changes
  'update members set role = ?',
  'update members set role = ? where user_id = ?',
  'update members set workspace_id = ? where workspace_id = ?',
  'update members set (role, workspace_id) = (?, ?) where workspace_id = ?',
  'update or replace members set user_id = ? where workspace_id = ?',
  'update members set role = p.name from projects p where p.workspace_id = ?',
  'update users set name = (select name from projects) where id = ?',
  'update users set name = ? where id = ? returning (select count(*) from members)',
  'delete from members',
  'delete from members where user_id in (select id from users where id = ?)',
  'delete from users where exists (select 1 from members where user_id = users.id)',
  'insert into members values (?, ?, ?, ?)',
  'insert into members (user_id, role) values (?, ?)',
  'insert into members (workspace_id, user_id) values (1, ?)',
  'insert into members (workspace_id, user_id) values (?, ?), (1, ?)',
  'insert into members (workspace_id, user_id) values (?, ?) union select workspace_id, id from workspaces',
  'insert into members (workspace_id, user_id) select workspace_id, ? from workspaces',
  'insert into members (workspace_id, user_id) select ?, user_id from members',
  'insert into members (workspace_id, user_id) select ?, id from users union select workspace_id, id from workspaces',
  'insert into members default values',
  'insert or replace into members (workspace_id, user_id) values (?, ?)',
  'replace into members (workspace_id, user_id) values (?, ?)',
  'insert into media (workspace_id, id) values (?, ?) on conflict (id) do update set name = ?',
  'insert into media (workspace_id, id) values (?, ?) on conflict do update set name = ?',
  'insert into media (workspace_id, id) values (?, ?) on conflict (members.workspace_id, id) do update set name = ?',
  'insert into media (workspace_id, id) values (?, ?) on conflict (workspace_id, id) do update set workspace_id = ?',
  'insert into media (workspace_id, id) values (?, ?) returning (select count(*) from members)',
]

const verdict = (sql: string) => {
  try {
    return inspect(sql).refusal
  } catch (error) {
    return (error as Error).message
  }
}

describe('the tenant guard', () => {
  test.each(permitted)('lets through: %s', (sql) => expect(verdict(sql)).toBeUndefined())
  test.each(refused)('refuses: %s', (sql) => expect(verdict(sql)).toStartWith('A statement was refused'))
})

describe('the exemptions from it', () => {
  const declares = new Set(['src/ports.ts', 'src/adapters/database.ts'])
  const files = [...new Bun.Glob('src/**/*.{ts,tsx}').scanSync(root)].filter((file) => !declares.has(file)).sort()
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const uses = text.match(/\bacrossTenants\b/g)?.length ?? 0
    const whys = [...text.matchAll(/\bacrossTenants(?:\(|: )\s*'([^'\n]+)'\s*,/g)].map((match) => match[1]!)
    return uses === 0 ? [] : [{ file, uses, whys }]
  })

  test('each says why as a literal, so that reading the source shows them all', () => {
    for (const { file, uses, whys } of found) expect({ file, literals: whys.length }).toEqual({ file, literals: uses })
  })

  test('the lock file lists exactly these', () => {
    expect(Object.fromEntries(found.map(({ file, whys }) => [file, whys]))).toEqual(lock)
  })
})
