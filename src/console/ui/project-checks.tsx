// Some of the workspace's projects, to be ticked in a form as `projects`.
import { useResource } from '../resource'
import { api } from '../session'
import type { Project } from '../workspace-api'
import { Check } from './field'

type Props = { legend: string; isOffered?: (project: Project) => boolean }

export const ProjectChecks = ({ legend, isOffered = () => true }: Props) => {
  const { state } = useResource(api.projects)
  const offered = state.value.is === 'ready' ? state.value.data.data.filter(isOffered) : []
  if (offered.length === 0) return null
  return (
    <fieldset class="checks">
      <legend>{legend}</legend>
      {offered.map(({ id, name }) => (
        <Check key={id} label={name} name="projects" value={id} />
      ))}
    </fieldset>
  )
}
