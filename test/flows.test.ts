// The main job from end to end over HTTP: sign in by mail, make a key, upload, stream a range, revoke, be refused.
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type TestApp, testApp } from './support'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.stop())

describe('the main job', () => {
  test('a new person signs in, makes a key, uploads with it, streams a range, revokes it and is refused', async () => {
    const ada = await t.signIn('ada@example.com')
    const made = await ada.post('/api/keys', { name: 'first' })
    expect(made.status).toBe(201)
    expect(made.body.token).toMatch(/^ml_live_[0-9A-Za-z]{46}$/)
    const key = t.clientOf({ authorization: `Bearer ${made.body.token}` })

    const who = await key.get('/api/whoami')
    expect(who.body).toMatchObject({ actor: { type: 'key', id: made.body.id }, workspace: { id: ada.workspace.id } })

    const bytes = new TextEncoder().encode('0123456789')
    const up = await key.post('/api/media', undefined, {
      raw: bytes,
      headers: { 'content-type': 'text/plain', 'x-file-name': 'ten.txt' },
    })
    expect(up.status).toBe(201)
    expect(up.body).toMatchObject({ name: 'ten.txt', size: 10 })

    const range = await t.fetch('GET', `/media/${up.body.id}`, { headers: { ...key.headers, range: 'bytes=2-4' } })
    expect([range.status, range.headers.get('content-range'), await range.text()]).toEqual([206, 'bytes 2-4/10', '234'])

    const revoked = await ada.delete(`/api/keys/${made.body.id}`)
    expect(revoked.body).toMatchObject({ this_node: 'immediate', other_nodes: { confirmed: true } })
    for (const target of ['/api/whoami', `/media/${up.body.id}`])
      expect(await key.get(target)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    const list = await ada.get('/api/keys')
    expect(list.body.data[0]).toMatchObject({ id: made.body.id, status: 'revoked' })
  })

  test('signing out ends the session at once, and only that session', async () => {
    const [here, there] = [await t.signIn('ada@example.com'), await t.signIn('ada@example.com')]
    expect((await here.post('/api/auth/sign-out')).status).toBe(204)
    expect((await here.get('/api/me')).status).toBe(401)
    expect((await there.get('/api/me')).status).toBe(200)
  })

  test('everything that was changed stands in the audit, with its actor', async () => {
    const ada = await t.signIn('ada@example.com')
    const { body: key } = await ada.post('/api/keys', { name: 'first' })
    await ada.delete(`/api/keys/${key.id}`)
    const { body } = await ada.get('/api/audit')
    const seen = body.data.map((e: Record<string, unknown>) => [e.action, (e.actor as { id: string }).id])
    expect(seen).toContainEqual(['key.created', ada.userId])
    expect(seen).toContainEqual(['key.revoked', ada.userId])
    expect(JSON.stringify(body)).not.toContain(key.token)
  })
})
