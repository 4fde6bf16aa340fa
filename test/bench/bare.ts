// The yardstick: one Elysia route with nothing around it, answering as many bytes as whoami does.
import { Elysia } from 'elysia'

const answer = JSON.parse(process.env.ANSWER ?? '{}')
const app = new Elysia().get('/', () => answer).listen({ port: 0, hostname: '127.0.0.1' })
console.log(JSON.stringify({ listening: `http://127.0.0.1:${app.server?.port}` }))
