// The pages beside the API: the console, and the inbox where mail is shown instead of sent.
import type { AnyElysia } from 'elysia'
import { pages } from '../console/pages.gen'
import { consoleRoutes } from '../console/routes'
import { type Inbox, inboxRoutes } from '../features/inbox/routes'
import type { Access } from '../http/access'

/** `inbox`: null where mail is really sent. */
export const pagesOf =
  (inbox: Inbox | null) =>
  (access: Access): AnyElysia[] => [
    consoleRoutes(access, pages, { withInbox: inbox !== null }),
    ...(inbox ? [inboxRoutes(access, inbox)] : []),
  ]
