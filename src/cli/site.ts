/** A web server on loopback for the studio: the built site, and the files that the user named. */

import { randomBytes } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname, extname, join, resolve, sep } from 'node:path'
import { GruvError } from '../index.ts'

const HOST = '127.0.0.1'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const headers = {
  // Memory can be shared between threads only on pages that are isolated from others.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

/** Files by the part of the page's address that names them: `model`, `input`, `expected`. */
export type Offered = Readonly<Record<string, string>>

export interface Site {
  /** The page with the files opened. */
  readonly url: string
  readonly server: Server
}

/**
 * @param folder with the built site.
 * @param port 0 for any that is free.
 * @throws GruvError `unreadable` for a file that is not there, or a port that is taken.
 */
export async function serveSite(folder: string, offered: Offered, port: number): Promise<Site> {
  // Others on this machine can reach the port, but cannot guess where the files are.
  const secret = randomBytes(16).toString('hex')
  const mounts = new Map<string, string>()
  const query = new URLSearchParams()
  for (const [role, path] of Object.entries(offered)) {
    const file = resolve(path)
    checkFile(path)
    // What belongs to a model lies beside it, so its folder is served, and nothing above it.
    mounts.set(`/${secret}/${role}/`, dirname(file) + sep)
    query.set(role, `${secret}/${role}/${encodeURIComponent(file.slice(dirname(file).length + 1))}`)
  }
  const server = createServer((request, response) => answer(folder, mounts, request, response))
  await listen(server, port)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const asked = query.size === 0 ? '' : `?${query}`
  return { url: `http://${HOST}:${bound}/${asked}`, server }
}

function checkFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isFile()) return
  throw new GruvError('unreadable', found ? 'this is a folder' : 'there is no such file', {
    where: path,
    expected: 'a file',
  })
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      failed(
        new GruvError('unreadable', code === 'EADDRINUSE' ? 'this port is taken' : message, {
          where: `--port ${port}`,
          fix: 'Leave --port out, and a free one is found.',
        }),
      )
    })
    server.listen(port, HOST, done)
  })
}

function answer(
  folder: string,
  mounts: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = decoded(request.url ?? '/')
  const file = path === null ? null : fileOf(folder, mounts, path)
  // A page elsewhere whose name was made to point here (DNS rebinding) says that name.
  const status = !/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')
    ? 403
    : request.method !== 'GET' && request.method !== 'HEAD'
      ? 405
      : 404
  if (status !== 404 || file === null) {
    response.writeHead(status, { ...headers, 'Content-Type': 'text/plain' }).end(`${status}\n`)
    return
  }
  const size = statSync(file).size
  response.writeHead(200, {
    ...headers,
    'Content-Type': types[extname(file)] ?? 'application/octet-stream',
    'Content-Length': size,
  })
  if (request.method === 'HEAD') response.end()
  else
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response)
}

function decoded(url: string): string | null {
  try {
    return decodeURIComponent(url.split(/[?#]/)[0])
  } catch {
    return null
  }
}

/** A file below one of the folders; null for all else. */
function fileOf(folder: string, mounts: ReadonlyMap<string, string>, path: string): string | null {
  const mount = [...mounts.keys()].find((prefix) => path.startsWith(prefix))
  const base = mount === undefined ? resolve(folder) + sep : mounts.get(mount)!
  const rest = mount === undefined ? path.slice(1) : path.slice(mount.length)
  if (rest.includes('\0')) return null
  const file = resolve(join(base, rest === '' ? 'index.html' : rest))
  if (!file.startsWith(base)) return null
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null
}
