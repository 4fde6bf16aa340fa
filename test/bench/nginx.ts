// nginx with files in a folder: one worker, sendfile, no check, no log.
import { join } from 'node:path'
import { freePort } from '../redis'
import { installTools } from './peers'
import { end, newFolder, removeFolder, spawn } from './processes'
import type { Server } from './servers'

const configOf = (folder: string, port: number) => `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/octet-stream;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}/files; }
}`

/** Serves `files` by name. */
export const startNginx = async (files: Readonly<Record<string, Uint8Array>>): Promise<Server> => {
  await installTools('nginx')
  const [folder, port] = [newFolder(), await freePort()]
  for (const [name, bytes] of Object.entries(files)) await Bun.write(join(folder, 'files', name), bytes)
  const config = join(folder, 'nginx.conf')
  await Bun.write(config, configOf(folder, port))
  const child = spawn([Bun.which('nginx')!, '-c', config, '-p', folder], { isQuiet: true })
  const stop = async () => {
    await end(child)
    removeFolder(folder)
  }
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    if (await fetch(url).catch(() => null)) return { url, pid: child.pid, stop }
    await Bun.sleep(25)
  }
  const why = await Bun.file(join(folder, 'error.log'))
    .text()
    .catch(() => '')
  await stop()
  throw new Error(`nginx did not start: ${why.slice(0, 300)}`)
}
