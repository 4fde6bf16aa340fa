// Words about media.
import type { Row } from './table'

export const mediaStrings = {
  'media.title': { en: 'Media', zh: '媒体' },
  'media.lead': {
    en: 'Private files, streamed only to those who may see them now.',
    zh: '私有文件，仅供当前有权查看的人播放。',
  },
  'media.project': { en: 'Project', zh: '项目' },
  'media.drop': { en: 'Drop files here', zh: '将文件拖放到此处' },
  'media.upload': { en: 'Upload', zh: '上传' },
  'media.choose': { en: 'Files to upload', zh: '要上传的文件' },
  'media.uploads': { en: 'On their way', zh: '正在上传' },
  'media.progress_of': { en: 'Progress of {name}', zh: '{name} 的进度' },
  'media.again_named': { en: 'Try {name} again', zh: '重试 {name}' },
  'media.cancel_named': { en: 'Cancel {name}', zh: '取消 {name}' },
  'media.empty_title': { en: 'No files yet', zh: '还没有文件' },
  'media.empty': {
    en: 'Drop one above. Pictures, sound and film can be looked at here.',
    zh: '拖放到上方即可。图片、音频和视频可在此查看。',
  },
  'media.empty_reader': { en: 'Whatever members upload appears here.', zh: '成员上传的内容会显示在这里。' },
  'media.type': { en: 'Kind', zh: '类型' },
  'media.uploaded': { en: 'Uploaded', zh: '上传于' },
  'media.id': { en: 'Id', zh: 'ID' },
  'media.rename': { en: 'Rename', zh: '重命名' },
  'media.download': { en: 'Download', zh: '下载' },
  'media.link': { en: 'Link', zh: '链接' },
  'media.link_lead': {
    en: 'A link plays this file anywhere for five minutes, for as long as you may see it yourself.',
    zh: '链接可在任何地方播放此文件五分钟，前提是您本人仍有权查看。',
  },
  'media.link_make': { en: 'Make a link', zh: '创建链接' },
  'media.link_left': { en: 'Ends in {time}', zh: '{time} 后失效' },
  'media.link_over': { en: 'It has run out.', zh: '链接已过期。' },
  'media.link_end': { en: 'End it now', zh: '立即停用' },
  'media.link_ended': { en: 'The link is ended.', zh: '链接已停用。' },
  'media.delete': { en: 'Delete', zh: '删除' },
  'media.ask_delete': { en: 'Delete {name}?', zh: '删除 {name}？' },
  'media.ask_delete_body': {
    en: 'It is gone from every answer at once. This cannot be undone.',
    zh: '立即从所有位置消失，且无法撤回。',
  },
  'media.deleted': { en: '{name} is deleted.', zh: '{name} 已删除。' },
} as const satisfies Record<string, Row>
