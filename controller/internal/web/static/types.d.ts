// Types of the HTTP API, for the checker of the pages' modules. Generated from
// openapi.json by TestPageTypes in controller/internal/api; do not edit.

export interface Agreement {
  days?: string[];
  first?: string;
  from?: string;
  id: string;
  last?: string;
  owner: string;
  share_percent: number;
  signs?: string[];
  tags?: string[];
  until?: string;
}

export interface AgreementList {
  items: Agreement[];
}

export interface AlertApproval {
  digest: string;
  override?: string;
  reason?: string;
  signs: number;
}

export interface AlertCall {
  owner: string;
  phone: string;
  sign: string;
}

export interface AlertExtension {
  digest: string;
  override?: string;
  reason?: string;
  signs: number;
  until: number | string;
}

export interface AlertFloors {
  classes?: {
    [key: string]: Floor;
  };
  day?: number;
  night?: number;
  signs?: {
    [key: string]: Floor;
  };
}

export interface AlertFrame {
  ms: number;
  url: string;
}

export interface AlertOnSign {
  class: string;
  findings: Finding[];
  form?: number;
  frames: AlertFrame[];
  late?: boolean;
  signs: number;
  unable?: boolean;
}

export interface AlertOrder {
  areas?: string[];
  correction?: string;
  draft?: boolean;
  from?: number | string;
  id: string;
  message?: string;
  mode?: 'live' | 'test' | 'drill';
  override?: string;
  priority?: number;
  reason?: string;
  replaces?: string;
  short?: string;
  signs?: string[];
  takeover?: Takeover;
  template?: string;
  text?: string;
  until: number | string;
  values?: {
    [key: string]: string;
  };
}

export interface AlertPreview {
  by_area: SignCount[];
  by_company: SignCount[];
  classes: AlertOnSign[];
  correction: AlertOnSign[];
  dark?: string[];
  digest: string;
  id: string;
  never?: string[];
  new?: string[];
  offline?: string[];
  out_of_service: OutOfOrder[];
  override?: string;
  pictures: number;
  reason?: string;
  rejected: AlertRejection[];
  says: string[];
  signs: number;
}

export interface AlertRejection {
  reason: string;
  sign: string;
}

export interface AlertReport {
  gave_way: GaveWay[];
  id: string;
  signs: SignShowed[];
}

export interface AlertTemplate {
  approved_by?: string;
  approved_ms?: number;
  by?: string;
  digest?: string;
  icon?: string;
  id: string;
  makers?: string[];
  name: Text;
  short?: string;
  theme?: string;
  variants: Variant[];
}

export interface AlertTemplateList {
  items: AlertTemplate[];
}

export interface AlertTimes {
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
  slowest: SlowSign[];
}

export interface AlertView {
  approved_by?: string;
  approved_ms?: number;
  areas: string[];
  break_glass?: boolean;
  call: AlertCall[];
  came?: string[];
  corrected?: boolean;
  correction?: string;
  corrects?: string;
  created_by: string;
  created_ms: number;
  ended_by?: string;
  ended_ms?: number;
  extended_by?: string;
  extended_ms?: number;
  from: number | string;
  from_given?: boolean;
  gone?: string[];
  id: string;
  makers?: string[];
  message?: string;
  missed: string[];
  mode: 'live' | 'test' | 'drill';
  out_of_service: string[];
  override?: string;
  priority: number;
  reason?: string;
  received: number;
  rejected: number;
  rejections: AlertRejection[];
  replaced_by?: string;
  replaces?: string;
  resumes?: string;
  sent: number;
  short?: string;
  showing: number;
  signs: string[];
  state: 'draft' | 'pending' | 'running' | 'ended';
  takeover?: Takeover;
  targeted: number;
  template?: string;
  template_digest?: string;
  text?: string;
  times?: AlertTimes;
  unsaved?: boolean;
  until: number | string;
  values?: {
    [key: string]: string;
  };
  why?: string;
}

export interface AlertViewList {
  items: AlertView[];
}

export interface Area {
  code: string;
  geocodes?: string[];
  name: string;
  outline?: Place[][];
  replaced_by?: string;
}

export interface AreaList {
  items: Area[];
}

export interface AuditEntry {
  action: string;
  after?: unknown;
  at_ms: number;
  before?: unknown;
  digest: string;
  from?: string;
  id: string;
  kind: string;
  n: number;
  owner?: string;
  who: string;
  withheld?: boolean;
}

export interface AuditEntryList {
  items: AuditEntry[];
}

export interface CAPAuto {
  areas: string[];
  max_priority: number;
}

export interface CAPFeed {
  every_s?: number;
  id: string;
  url: string;
}

export interface CAPFeedState {
  answered_ms?: number;
  asked_ms?: number;
  changed_ms?: number;
  failures?: number;
  id: string;
  trouble?: string;
  trouble_vi?: string;
  url: string;
}

export interface CAPPolicy {
  approved_by?: string;
  auto?: CAPAuto;
  feeds: CAPFeed[];
  makers?: string[];
  proposed_by?: string;
  senders: string[];
}

export interface CAPResult {
  alerts?: string[];
  at_ms: number;
  because: Text;
  from: string;
  identifier: string;
  msg_type: string;
  outcome: string;
  sender: string;
  sent: number | string;
}

export interface Campaign {
  areas?: string[];
  days?: string[];
  except?: string[];
  first: string;
  from?: string;
  id: string;
  last: string;
  letter: Letter;
  messages: string[];
  name?: string;
  share_percent: number;
  signs?: string[];
  until?: string;
}

export interface CampaignList {
  items: Campaign[];
}

export interface ClockState {
  at_ms: number;
  confirmed: boolean;
  in_doubt: boolean;
  waits: boolean;
  why?: Text;
}

export interface DrillPlan {
  at: string;
  day: string;
  on: boolean;
}

export interface Finding {
  class?: string;
  code: string;
  field?: string;
  level: 'refuse' | 'warn';
  numbers?: {
    [key: string]: number;
  };
  remedy: Text;
  text: Text;
}

export interface Floor {
  day?: number;
  night?: number;
}

export interface GaveWay {
  item: string;
  ms: number;
  owner: string;
}

export interface HealthDay {
  clock_ms: number;
  day: string;
  faulty_ms: number;
  from_ms: number;
  offline_ms: number;
  online_ms: number;
  outages: number;
  unknown_ms: number;
  until_ms: number;
}

export interface HealthHistory {
  days: HealthDay[];
  from_ms: number;
  spans: HealthSpan[];
  time_zone: string;
  until_ms: number;
}

export interface HealthSpan {
  clock?: string;
  faults?: string[];
  from_ms: number;
  state: string;
  until_ms: number;
}

export interface Image {
  fit?: string;
  focal_x?: number;
  focal_y?: number;
  media: string;
}

export interface Item {
  count?: number;
  dwell_ms?: number;
  first?: string;
  last?: string;
  message: string;
  weight?: number;
}

export interface Letter {
  date: string;
  number: string;
  url?: string;
}

export interface Light {
  day?: number;
  night?: number;
  power?: number;
}

export interface Look {
  class: string;
  error?: Problem;
  findings: Finding[];
  steps?: LookStep[];
}

export interface LookStep {
  ms: number;
  png: string;
  scroll?: Scroll;
  type: string;
}

export interface Lost {
  because: Text;
  rule: string;
}

export interface Made {
  action: string;
  at_ms: number;
  id: string;
  kind: string;
  owner?: string;
  who: string;
}

export interface MadeList {
  items: Made[];
}

export interface Me {
  areas?: string[];
  id: string;
  name?: string;
  owner: string;
  role: 'admin' | 'editor' | 'author' | 'approver' | 'viewer';
}

export interface Medium {
  frames: number;
  h: number;
  id: string;
  len: number;
  owner: string;
  sha256: string;
  type: string;
  used_by?: string[];
  w: number;
}

export interface MediumList {
  items: Medium[];
}

export interface Message {
  address?: string;
  campaign?: string;
  icon?: string;
  id: string;
  image?: Image;
  layout?: string;
  owner: string;
  qr?: string;
  source?: Source;
  theme?: string;
  variants?: Variant[];
}

export interface MessageList {
  items: Message[];
}

export interface OutOfOrder {
  reason: string;
  sign: string;
}

export interface Owner {
  alert_floor?: AlertFloors;
  id: string;
  max_classes?: number;
  max_signs?: number;
  name: string;
  phone?: string;
}

export interface OwnerList {
  items: Owner[];
}

export interface Pending {
  areas: string[];
  at_ms: number;
  by: string;
  mode: '' | 'program' | 'picture';
  sign: string;
  test: boolean;
}

export interface Place {
  lat: number;
  lon: number;
}

export interface Playlist {
  id: string;
  items: Item[];
  name?: string;
  owner: string;
}

export interface PlaylistList {
  items: Playlist[];
}

export interface Read {
  digest: string;
}

export interface Reason {
  field?: string;
  remedy?: string;
  title: string;
}

export interface ReportCovered {
  day: string;
  missing?: ReportSpan[];
  missing_ms: number;
  ms: number;
  sign: string;
  sign_owner: string;
}

export interface ReportDelivered {
  campaign?: string;
  count: number;
  day: string;
  item?: string;
  ms: number;
  owner: string;
  sign: string;
  sign_owner: string;
  title?: string;
  why: string;
}

export interface ReportDelivery {
  coverage: ReportCovered[];
  from: number;
  rows: ReportDelivered[];
  straddling?: ReportStraddler[];
  unproven?: string[];
  until: number;
}

export interface ReportDisplaced {
  alerts: string;
  day: string;
  item?: string;
  ms: number;
  owner: string;
  sign: string;
  sign_owner: string;
  title?: string;
}

export interface ReportDisplacement {
  from: number;
  rows: ReportDisplaced[];
  straddling?: ReportStraddler[];
  until: number;
}

export interface ReportShare {
  asked_ms: number;
  bound_ms: number;
  campaign: string;
  day: string;
  letter: Letter;
  planned_ms: number;
  proven_ms: number;
  shown: number;
  shown_ms: number;
  sign: string;
  sign_owner: string;
  unbound_ms?: number;
}

export interface ReportShares {
  from: number;
  rows: ReportShare[];
  straddling?: ReportStraddler[];
  until: number;
}

export interface ReportSpan {
  from_ms: number;
  proven_ms?: number;
  until_ms: number;
}

export interface ReportStraddler {
  from_ms: number;
  sign: string;
  until_ms: number;
}

export interface ReportUptime {
  clock_ms: number;
  day: string;
  faulty_ms: number;
  offline_ms: number;
  online_ms: number;
  outages: number;
  sign: string;
  sign_owner: string;
  unknown_ms: number;
}

export interface ReportUptimes {
  from: number;
  rows: ReportUptime[];
  until: number;
}

export interface Rules {
  least_dwell_ms?: number;
  no_scroll?: boolean;
  off?: Window[];
}

export interface Said {
  frame: string;
  item: string;
  why: string;
}

export interface Schedule {
  days?: string[];
  except?: string[];
  first?: string;
  from?: string;
  id: string;
  last?: string;
  name?: string;
  owner: string;
  playlist: string;
  priority?: number;
  signs?: string[];
  tags?: string[];
  until?: string;
}

export interface ScheduleList {
  items: Schedule[];
}

export interface Scroll {
  axis: string;
  px_s: number;
}

export interface Share {
  agreed_percent: number;
  asked_percent: number;
  id: string;
  letter: Letter;
  loop_seconds: number;
  planned_percent: number;
  seconds: number;
  slots: number;
}

export interface Showing {
  at_ms: number;
  frame: string;
  item: string;
  owner: string;
  percent: number;
  rule?: string;
  scroll?: Scroll;
  tau_ms: number;
  title?: string;
  until_ms: number;
  why: string;
}

export interface Sign {
  alerts?: string;
  areas: string[];
  class: string;
  comm_loss_h?: number;
  distance_m?: number;
  id: string;
  light?: Light;
  mode?: '' | 'program' | 'picture';
  name?: string;
  out_of_service?: string;
  owner: string;
  phone?: string;
  pitch_mm?: number;
  playlist?: string;
  position?: Place;
  rules?: Rules;
  tags?: string[];
  test?: boolean;
  time_zone?: string;
}

export interface SignCount {
  id: string;
  name: string;
  signs: number;
}

export interface SignList {
  items: Sign[];
}

export interface SignReview {
  alerts?: string;
  signs: string[];
}

export interface SignShowed {
  from_ms: number;
  owner: string;
  proved_ms: number;
  reached: string;
  reason?: string;
  sign: string;
  until_ms: number;
}

export interface SignView {
  agrees?: boolean;
  alerts?: string;
  alerts_unable?: Finding;
  areas: string[];
  class: string;
  clock?: string;
  colour: string;
  dropped?: number;
  faults?: string[];
  h: number;
  heard_ms: number;
  id: string;
  mode: string;
  name: string;
  out_of_service?: string;
  owner: string;
  owner_name: string;
  phone?: string;
  pitch_mm?: number;
  position?: Place;
  problem?: string;
  problem_vi?: string;
  said?: Said;
  seq: number;
  shot_ms: number;
  showing?: Showing;
  software?: string;
  state: string;
  tags?: string[];
  test: boolean;
  time_zone: string;
  w: number;
  wanted: number;
}

export interface SlowSign {
  ms: number;
  sign: string;
}

export interface Source {
  date: string;
  title: string;
  url?: string;
}

export interface Takeover {
  exclusive_s: number;
  share_percent: number;
}

export interface Text {
  en: string;
  vi: string;
}

export interface Token {
  areas?: string[];
  by?: string;
  expires: number;
  id: string;
  lineage?: string[];
  made_ms?: number;
  may?: string[];
  only?: string[];
  own?: boolean;
  owner: string;
  role: 'admin' | 'editor' | 'author' | 'approver' | 'viewer';
  sha256?: string;
}

export interface TokenList {
  items: Token[];
}

export interface User {
  areas?: string[];
  disabled?: boolean;
  id: string;
  name?: string;
  owner: string;
  phone?: string;
  role: 'admin' | 'editor' | 'author' | 'approver' | 'viewer';
}

export interface UserList {
  items: User[];
}

export interface Variant {
  body?: string;
  caption?: string;
  headline?: string;
  lang: string;
}

export interface Webhook {
  events: string[];
  id: string;
  secret?: string;
  url: string;
}

export interface WebhookList {
  items: Webhook[];
}

export interface Window {
  days?: string[];
  from?: string;
  until?: string;
}

export interface AuditVerdict {
  digest: string;
  entries: number;
  whole: boolean;
}

export interface Cancelling {
  correction?: boolean;
}

export interface CapState {
  digest: string;
  feeds: CAPFeedState[];
  last: CAPResult[];
  policy: CAPPolicy;
}

export interface Credentials {
  password: string;
  user: string;
}

export interface DaySpan {
  campaigns?: Share[];
  from: number;
  lost?: Lost[];
  notes?: Text[];
  rule: string;
  until: number;
}

export interface Document {
  components: Record<string, unknown>;
  info: Record<string, unknown>;
  openapi: string;
  paths: {
    [key: string]: Record<string, unknown>;
  };
  security: (Record<string, unknown>)[];
}

export interface EnrolCode {
  code: string;
  expires_ms?: number;
}

export interface LinkCode {
  code: string;
}

export interface MadeToken {
  areas?: string[];
  by?: string;
  expires: number;
  id: string;
  lineage?: string[];
  made_ms?: number;
  may?: string[];
  only?: string[];
  own?: boolean;
  owner: string;
  role: 'admin' | 'editor' | 'author' | 'approver' | 'viewer';
  secret: string;
  sha256?: string;
}

export interface NewPassword {
  password: string;
}

export interface PreviewIn {
  classes: string[];
  message: unknown;
}

export interface PreviewOut {
  looks: Look[];
}

export interface Problem {
  code: string;
  detail?: string;
  field?: string;
  remedy?: string;
  status: number;
  title: string;
  type: string;
  value?: string;
  vi?: Reason;
}

export interface SignAt {
  at_ms: number;
  campaigns?: Share[];
  comm_loss_ms?: number;
  frame: string;
  item: string;
  lost?: Lost[];
  notes?: Text[];
  owner: string;
  percent: number;
  rule?: string;
  scroll?: Scroll;
  seq: number;
  sign: string;
  tau_ms: number;
  time: string;
  title?: string;
  until_ms: number;
  why: string;
  zone: string;
}

export interface SignDay {
  date: string;
  from: number;
  sign: string;
  spans: DaySpan[];
  until: number;
  zone: string;
}

export interface SignViews {
  now_ms: number;
  signs: SignView[];
}

export interface UserLink {
  expires_ms: number;
  path: string;
}

// The parameters of each operation's query.
export interface Queries {
  'POST /api/v1/alerts/cap': {
    override?: 'distance';
    reason?: string;
  };
  'GET /api/v1/audit': {
    after?: number;
    before?: number;
    limit?: number;
  };
  'GET /api/v1/audit/verify': {
    expect?: string;
  };
  'GET /api/v1/events': {
    only?: 'alerts';
    sign?: string;
  };
  'GET /api/v1/owners/{owner}/media/{id}/thumb.png': {
    class: string;
  };
  'PUT /api/v1/owners/{owner}/messages/{id}': {
    override?: 'distance';
    reason?: string;
  };
  'PUT /api/v1/owners/{owner}/playlists/{id}': {
    override?: 'distance';
    reason?: string;
  };
  'PUT /api/v1/owners/{owner}/schedules/{id}': {
    override?: 'distance';
    reason?: string;
  };
  'GET /api/v1/reports/{kind}': {
    campaign?: string;
    format?: 'json' | 'csv' | 'table';
    from?: string;
    owner?: string;
    sign?: string;
    to?: string;
  };
  'PUT /api/v1/signs/{id}': {
    override?: 'distance';
    reason?: string;
  };
  'GET /api/v1/signs/{id}/at': {
    time?: string;
  };
  'GET /api/v1/signs/{id}/day': {
    date?: string;
  };
  'GET /api/v1/signs/{id}/health': {
    from?: string;
    to?: string;
  };
}

// The JSON body that each operation takes.
export interface Bodies {
  'POST /api/v1/alerts': AlertOrder;
  'POST /api/v1/alerts/{id}/approve': AlertApproval;
  'POST /api/v1/alerts/{id}/cancel': Cancelling;
  'POST /api/v1/alerts/{id}/extend': AlertExtension;
  'PUT /api/v1/areas/{id}': Area;
  'PUT /api/v1/campaigns/{id}': Campaign;
  'PUT /api/v1/cap': CAPPolicy;
  'POST /api/v1/cap/approve': Read;
  'PUT /api/v1/drill': DrillPlan;
  'POST /api/v1/enrol': EnrolCode;
  'PUT /api/v1/me/password': NewPassword;
  'PUT /api/v1/owners/{id}': Owner;
  'PUT /api/v1/owners/{owner}/agreements/{id}': Agreement;
  'PUT /api/v1/owners/{owner}/messages/{id}': Message;
  'PUT /api/v1/owners/{owner}/playlists/{id}': Playlist;
  'POST /api/v1/owners/{owner}/preview': PreviewIn;
  'PUT /api/v1/owners/{owner}/schedules/{id}': Schedule;
  'POST /api/v1/session': Credentials;
  'POST /api/v1/session/code': LinkCode;
  'POST /api/v1/signs/review': SignReview;
  'PUT /api/v1/signs/{id}': Sign;
  'PUT /api/v1/templates/{id}': AlertTemplate;
  'POST /api/v1/templates/{id}/approve': Read;
  'PUT /api/v1/tokens/{id}': Token;
  'PUT /api/v1/users/{id}': User;
  'PUT /api/v1/webhooks/{id}': Webhook;
}

// The JSON that each operation answers.
export interface Answers {
  'GET /api/v1/alerts': AlertViewList;
  'POST /api/v1/alerts': AlertView;
  'POST /api/v1/alerts/cap': CAPResult;
  'GET /api/v1/alerts/{id}': AlertView;
  'POST /api/v1/alerts/{id}/approve': AlertView;
  'POST /api/v1/alerts/{id}/break-glass': AlertView;
  'POST /api/v1/alerts/{id}/cancel': AlertView;
  'POST /api/v1/alerts/{id}/extend': AlertView;
  'GET /api/v1/alerts/{id}/preview': AlertPreview;
  'POST /api/v1/alerts/{id}/refuse': AlertView;
  'GET /api/v1/alerts/{id}/report': AlertReport;
  'POST /api/v1/alerts/{id}/resume': AlertView;
  'GET /api/v1/areas': AreaList;
  'GET /api/v1/areas/{id}': Area;
  'PUT /api/v1/areas/{id}': Area;
  'GET /api/v1/audit': AuditEntryList;
  'GET /api/v1/audit/verify': AuditVerdict;
  'GET /api/v1/campaigns': CampaignList;
  'GET /api/v1/campaigns/{id}': Campaign;
  'PUT /api/v1/campaigns/{id}': Campaign;
  'GET /api/v1/cap': CapState;
  'PUT /api/v1/cap': CapState;
  'POST /api/v1/cap/approve': CapState;
  'GET /api/v1/clock': ClockState;
  'POST /api/v1/clock/accept': ClockState;
  'GET /api/v1/drill': DrillPlan;
  'PUT /api/v1/drill': DrillPlan;
  'GET /api/v1/me': Me;
  'GET /api/v1/openapi.json': Document;
  'GET /api/v1/owners': OwnerList;
  'GET /api/v1/owners/{id}': Owner;
  'PUT /api/v1/owners/{id}': Owner;
  'GET /api/v1/owners/{owner}/agreements': AgreementList;
  'GET /api/v1/owners/{owner}/agreements/{id}': Agreement;
  'PUT /api/v1/owners/{owner}/agreements/{id}': Agreement;
  'GET /api/v1/owners/{owner}/media': MediumList;
  'GET /api/v1/owners/{owner}/media/{id}': Medium;
  'PUT /api/v1/owners/{owner}/media/{id}': Medium;
  'GET /api/v1/owners/{owner}/messages': MessageList;
  'GET /api/v1/owners/{owner}/messages/{id}': Message;
  'PUT /api/v1/owners/{owner}/messages/{id}': Message;
  'GET /api/v1/owners/{owner}/playlists': PlaylistList;
  'GET /api/v1/owners/{owner}/playlists/{id}': Playlist;
  'PUT /api/v1/owners/{owner}/playlists/{id}': Playlist;
  'POST /api/v1/owners/{owner}/preview': PreviewOut;
  'GET /api/v1/owners/{owner}/schedules': ScheduleList;
  'GET /api/v1/owners/{owner}/schedules/{id}': Schedule;
  'PUT /api/v1/owners/{owner}/schedules/{id}': Schedule;
  'GET /api/v1/reports/{kind}': ReportDelivery | ReportShares | ReportDisplacement | ReportUptimes;
  'POST /api/v1/session': Me;
  'POST /api/v1/session/code': Me;
  'GET /api/v1/signs': SignViews;
  'POST /api/v1/signs/review': SignReview;
  'GET /api/v1/signs/{id}': SignView;
  'PUT /api/v1/signs/{id}': Sign;
  'GET /api/v1/signs/{id}/at': SignAt;
  'POST /api/v1/signs/{id}/code': EnrolCode;
  'GET /api/v1/signs/{id}/day': SignDay;
  'GET /api/v1/signs/{id}/health': HealthHistory;
  'GET /api/v1/signs/{id}/pending': Pending;
  'POST /api/v1/signs/{id}/pending/approve': Pending;
  'POST /api/v1/signs/{id}/pending/refuse': Pending;
  'GET /api/v1/signs/{id}/spec': Sign;
  'GET /api/v1/specs/signs': SignList;
  'GET /api/v1/specs/signs/{id}': Sign;
  'GET /api/v1/templates': AlertTemplateList;
  'GET /api/v1/templates/{id}': AlertTemplate;
  'PUT /api/v1/templates/{id}': AlertTemplate;
  'POST /api/v1/templates/{id}/approve': AlertTemplate;
  'GET /api/v1/tokens': TokenList;
  'PUT /api/v1/tokens/{id}': MadeToken;
  'GET /api/v1/users': UserList;
  'GET /api/v1/users/{id}': User;
  'PUT /api/v1/users/{id}': User;
  'POST /api/v1/users/{id}/link': UserLink;
  'GET /api/v1/users/{id}/made': MadeList;
  'GET /api/v1/webhooks': WebhookList;
  'PUT /api/v1/webhooks/{id}': Webhook;
}
