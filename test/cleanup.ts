// Loaded before all tests, to clean up once after them: `bun test` ends without an exit event.
import { afterAll } from 'bun:test'
import { removeFolders } from './template'

afterAll(removeFolders)
