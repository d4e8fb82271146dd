/** Serves the studio on loopback: the built site, and the files that the user named. */

import { randomBytes } from 'node:crypto'
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { basename, extname, join, resolve, sep } from 'node:path'
import { GruvError } from '../index.ts'
import { withoutLinks } from '../load/links.node.ts'

const HOST = '127.0.0.1'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** The same as in the page's own head, which holds where another server gives the page. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  // A page's own head cannot say this.
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'Content-Security-Policy': policy,
  // Pages can share memory between threads only when they are cross-origin isolated.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
}

/** The files that the user named; a model may be a folder. */
export interface Offered {
  readonly model?: string
  readonly input: readonly string[]
  readonly expected: readonly string[]
}

export interface Site {
  /** The address of the page that opens the files. */
  readonly url: string
  readonly server: Server
}

/** The files and folders of this machine that are served, by URL path. */
interface Mounts {
  /** Folders with everything in them; each path ends in `/`. */
  readonly folders: Map<string, string>
  readonly files: Map<string, string>
  /** The path of the folder that is a model; the page asks for a list of its files. */
  listed: string | null
}

/**
 * @param folder with the built site.
 * @param port 0 for any free port.
 * @throws GruvError `unreadable` for a file that does not exist, or a port that is taken;
 *   `too-large` for a folder that cannot be a model.
 */
export async function serveSite(folder: string, offered: Offered, port: number): Promise<Site> {
  // Other users of this machine can reach the port, but cannot guess the paths.
  const secret = randomBytes(16).toString('hex')
  const mounts: Mounts = { folders: new Map(), files: new Map(), listed: null }
  const query = new URLSearchParams()
  if (offered.model !== undefined) {
    const file = resolve(offered.model)
    const name = encodeURIComponent(basename(file))
    if (isThere(offered.model, 'a model file, or a folder with a model of several files')) {
      if (filesBelow(file).length === 0) {
        throw new GruvError('unreadable', 'this folder is empty', {
          where: offered.model,
          expected: 'a folder with a model in it',
        })
      }
      mounts.listed = `/${secret}/model/${basename(file)}/`
      mounts.folders.set(mounts.listed, file + sep)
      query.set('model', `${secret}/model/${name}/`)
    } else {
      mounts.files.set(`/${secret}/model/${basename(file)}`, file)
      query.set('model', `${secret}/model/${name}`)
    }
  }
  for (const role of ['input', 'expected'] as const) {
    offered[role].forEach((path, i) => {
      if (isThere(path, 'a data file')) {
        throw new GruvError('unreadable', 'this is a folder', {
          where: path,
          expected: 'a data file',
        })
      }
      const name = basename(resolve(path))
      mounts.files.set(`/${secret}/${role}/${i}/${name}`, resolve(path))
      query.append(role, `${secret}/${role}/${i}/${encodeURIComponent(name)}`)
    })
  }
  const server = createServer((request, response) => answer(folder, mounts, request, response))
  await listen(server, port)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const asked = query.size === 0 ? '' : `?${query}`
  return { url: `http://${HOST}:${bound}/${asked}`, server }
}

/** @returns whether it is a folder. */
function isThere(path: string, expected: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isFile() || found?.isDirectory()) return found.isDirectory()
  throw new GruvError('unreadable', 'there is no such file', { where: path, expected })
}

/** More files than any model has; a home directory given by mistake has them. */
const MOST_FILES = 10_000
const MOST_DEPTH = 2

/** Paths below a folder, with `/` between their parts. */
function filesBelow(folder: string): readonly string[] {
  const found: string[] = []
  const visit = (path: string, depth: number): void => {
    for (const entry of entriesOf(join(folder, path))) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`
      if (!entry.isDirectory()) found.push(inner)
      else if (depth < MOST_DEPTH) visit(inner, depth + 1)
      if (found.length > MOST_FILES) {
        throw new GruvError('too-large', 'this folder holds more files than any model has', {
          where: folder,
          expected: `at most ${MOST_FILES}`,
        })
      }
    }
  }
  visit('', 0)
  return found
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    throw new GruvError('unreadable', 'this folder cannot be read', {
      where: folder,
      got: (cause as Error).message,
      cause,
    })
  }
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

/** No request ends the server: a file system has more errors than a list of them. */
async function answer(
  folder: string,
  mounts: Mounts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    // A foreign page whose name was made to resolve to this host (DNS rebinding) sends that name.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) refuse(response, 403)
    else if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 405)
    else await give(folder, mounts, decoded(request.url ?? '/'), request.method, response)
  } catch {
    if (response.headersSent) response.destroy()
    else refuse(response, 500)
  }
}

async function give(
  folder: string,
  mounts: Mounts,
  path: string | null,
  method: 'GET' | 'HEAD',
  response: ServerResponse,
): Promise<void> {
  const file = path === null ? null : await fileOf(folder, mounts, path)
  if (path !== null && path === mounts.listed) list(response, mounts.folders.get(path)!)
  else if (file === null) refuse(response, 404)
  else send(response, file, method)
}

function send(response: ServerResponse, file: string, method: 'GET' | 'HEAD'): void {
  response.writeHead(200, {
    ...headers,
    'Content-Type': types[extname(file)] ?? 'application/octet-stream',
    'Content-Length': statSync(file).size,
  })
  if (method === 'HEAD') response.end()
  else
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response)
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'text/plain' }).end(`${status}\n`)
}

/** Lists the files in the folder of a model. */
function list(response: ServerResponse, folder: string): void {
  try {
    const names = JSON.stringify(filesBelow(folder))
    response.writeHead(200, { ...headers, 'Content-Type': types['.json'] }).end(names)
  } catch {
    // The folder was readable when the server started.
    refuse(response, 404)
  }
}

function decoded(url: string): string | null {
  try {
    return decodeURIComponent(url.split(/[?#]/)[0])
  } catch {
    return null
  }
}

/** The named file, or the file in one of the folders, for a path; null for any other path. */
async function fileOf(
  folder: string,
  { folders, files }: Mounts,
  path: string,
): Promise<string | null> {
  const mount = [...folders.keys()].find((prefix) => path.startsWith(prefix))
  const base = mount === undefined ? resolve(folder) + sep : folders.get(mount)!
  const rest = mount === undefined ? path.slice(1) : path.slice(mount.length)
  if (rest.includes('\0')) return null
  const name = rest === '' ? 'index.html' : rest
  const file =
    files.get(path) ??
    (resolve(join(base, name)).startsWith(base)
      ? await withoutLinks(base, name).catch(() => null)
      : null)
  return file !== null && statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null
}
