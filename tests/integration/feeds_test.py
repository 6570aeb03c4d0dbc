#!/usr/bin/env python3
"""`tocsin feeds update` against a real HTTP server, and what a build makes of
what it brought; `tocsin indicators` over the result."""
import base64
import contextlib
import hashlib
import http.server
import json
import os
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from filter import program, sanitized
from tap import Skip, case, check, check_in, check_not_in, run, skip_all

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
UUIDS = ['7d357933-fe13-48f7-837b-daa02f43427e', '1f1f1f1f-2222-4333-8444-555555555555']


def misp_event(uuid, value):
    return {'Event': {'uuid': uuid, 'info': 'an event', 'timestamp': '1700000000', 'Attribute': [
        {'uuid': '22329178-c388-445e-a794-f738e6000d7e', 'type': 'domain', 'to_ids': True, 'value': value}]}}


def stix_indicator(number, value):
    return {'type': 'indicator', 'spec_version': '2.1', 'id': f'indicator--{number:08d}-c388-445e-a794-f738e6000d7e',
            'created': '2026-01-01T00:00:00Z', 'modified': '2026-01-01T00:00:00Z', 'pattern_type': 'stix',
            'pattern': f"[domain-name:value = '{value}']", 'valid_from': '2026-01-01T00:00:00Z'}


class Server(http.server.ThreadingHTTPServer):
    """Answers from `pages`: path -> bytes; remembers what it was asked."""

    def __init__(self, context=None):
        super().__init__(('127.0.0.1', 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.pages, self.asked, self.etag, self.login = {}, [], '"one"', None
        self.special = {}  # path -> what answers in its own way
        self.names_no_next = False
        self.collection = [stix_indicator(1, 'taxii-one.example'), stix_indicator(2, 'taxii-two.example')]
        self.url = f'http{"s" if context else ""}://127.0.0.1:{self.server_address[1]}'

    def handle_error(self, request, client_address):
        """A client that hangs up is what some of the cases are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, code, body=b'', **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def taxii(self, query):
        """One object a page."""
        objects = self.server.collection
        at = int(query.get('next', ['0'])[0])
        if 'added_after' in query:
            objects = [o for o in objects if o.get('added', '2026-01-02T00:00:00Z') > query['added_after'][0]]
        page, last = {'objects': objects[at:at + 1]}, '2026-01-02T00:00:00Z'
        if at + 1 < len(objects):
            page.update(more=True, next=str(at + 1))
        if self.server.names_no_next:
            page.pop('next', None)
            last = page['objects'][-1]['added'] if page['objects'] else query['added_after'][0]
        self.answer(200, json.dumps(page).encode(), Content_Type='application/taxii+json;version=2.1',
                    X_TAXII_Date_Added_Last=last)

    def do_POST(self):
        self.body = self.rfile.read(int(self.headers['Content-Length']))
        self.do_GET()

    def do_GET(self):
        server, url = self.server, urllib.parse.urlsplit(self.path)
        server.asked.append((self.path, dict(self.headers)))
        if server.login and self.headers.get('Authorization') != server.login:
            return self.answer(401)
        if url.path in server.special:
            return server.special[url.path](self)
        if url.path.startswith('/taxii/'):
            return self.taxii(urllib.parse.parse_qs(url.query))
        if url.path not in server.pages:
            return self.answer(404)
        if self.headers.get('If-None-Match') == server.etag:
            return self.answer(304)
        return self.answer(200, server.pages[url.path], ETag=server.etag)


class Bench:
    def __init__(self, top):
        self.top, self.server = top, Server()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.state = os.path.join(top, 'state')
        os.makedirs(self.state)
        self.conf = os.path.join(top, 'tocsin.conf')

    def configure(self, feeds):
        with open(self.conf, 'w') as file:
            file.write(f'''state-directory "{self.state}"
own-domains {{ "tocsin.test" }}
own-networks {{ 10.0.0.0/8 }}
trusted-relays {{ 127.0.0.0/8 }}
{feeds}
''')

    def tocsin(self, *arguments, status=0):
        done = subprocess.run([program('tocsin'), *arguments[:1], '-c', self.conf, *arguments[1:]],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode, status, f'tocsin {" ".join(arguments)}: {done.stdout}{done.stderr}')
        return done.stdout + done.stderr

    def reconfigured(self, feeds):
        """What is said of good.example with other settings and the same store."""
        self.configure(feeds)
        return self.tocsin('indicators', 'query', 'good.example', status=1)

    def reconfigured_wrong(self, feeds):
        self.configure(feeds)
        return self.tocsin('check', status=78)

    def acts(self, value):
        done = subprocess.run([program('tocsin'), 'indicators', '-c', self.conf, 'query', '--json', value],
                              capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)['acts']


@case('a list comes over HTTP, is asked for conditionally, and acts after a build')
def document(this):
    this.server.pages['/list.txt'] = b'evil-list.example\n'
    this.configure(f'feed web {{ source "{this.server.url}/list.txt" format list status verified refresh 1h }}')
    check_in('updated', this.tocsin('feeds', 'update', 'web'))
    check_in('unchanged', this.tocsin('feeds', 'update', 'web'))
    check('If-None-Match' in this.server.asked[-1][1], True, 'a conditional request')
    check(this.tocsin('feeds', 'update'), '', 'a fresh feed is not fetched')
    this.tocsin('indicators', 'build')
    check(this.acts('www.evil-list.example'), True)
    check(this.acts('harmless.example'), False)


@case('a server that fails, sends too much or nothing leaves the old file')
def failures(this):
    path = os.path.join(this.state, 'feeds', 'web')
    this.server.etag = '"two"'
    before = open(path).read()
    del this.server.pages['/list.txt']
    check_in('404', this.tocsin('feeds', 'update', 'web', status=75))
    this.server.pages['/list.txt'] = b''
    check_in('sent nothing', this.tocsin('feeds', 'update', 'web', status=75))
    this.server.pages['/list.txt'] = b'a.example\n' * 1000000
    this.configure(f'feed web {{ source "{this.server.url}/list.txt" format list max-size 1MB }}')
    check_in('max-size', this.tocsin('feeds', 'update', 'web', status=75))
    check(open(path).read(), before, 'the old file')
    check([name for name in os.listdir(os.path.dirname(path)) if 'new' in name], [], 'left behind')


@case('a login comes from a file that only its owner reads')
def login(this):
    auth = os.path.join(this.top, 'auth')
    with open(auth, 'w') as file:
        file.write('user:secret\n')
    this.server.pages['/list.txt'] = b'evil-login.example\n'
    this.server.login = 'Basic ' + base64.b64encode(b'user:secret').decode()
    this.configure(f'feed closed {{ source "{this.server.url}/list.txt" format list auth-file "{auth}" }}')
    os.chmod(auth, 0o644)
    check_in('chmod 0600', this.tocsin('feeds', 'update', 'closed', status=75))
    os.chmod(auth, 0o600)
    check_in('updated', this.tocsin('feeds', 'update', 'closed'))
    this.server.login = None


@case('plain http to another host is refused')
def plain_http(this):
    this.configure('feed far { source "http://feeds.example/list.txt" format list }')
    done = subprocess.run([program('tocsin'), 'feeds', '-c', this.conf, 'update', 'far'],
                          capture_output=True, text=True, timeout=60)
    check_in('https', done.stdout + done.stderr)
    check(done.returncode != 0, True, 'exit status')


@case('a redirect is followed without the login, unless it stays with the server')
def redirect(this):
    auth = os.path.join(this.top, 'auth-header')
    with Server() as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for page in this.server.pages, other.pages:
            page['/list.txt'] = b'sent-on.example\n'
        for where, login in ((this.server, True), (other, False)):
            this.server.special['/moved'] = lambda handler, url=where.url: handler.answer(302, b'gone',
                                                                                         Location=f'{url}/list.txt')
            for line in 'X-Auth-Key: secret', 'user:secret':
                with open(auth, 'w') as file:
                    file.write(line + '\n')
                os.chmod(auth, 0o600)
                this.configure(f'feed moved {{ source "{this.server.url}/moved" format list auth-file "{auth}" }}')
                where.etag = f'"{login} {len(line)}"'
                check_in('updated', this.tocsin('feeds', 'update', 'moved'))
                check('X-Auth-Key' in where.asked[-1][1] or 'Authorization' in where.asked[-1][1], login,
                      f'{line}: {where.asked[-1]}')
        with open(os.path.join(this.state, 'feeds', 'moved')) as file:
            check(file.read(), 'sent-on.example\n')
        other.shutdown()
    for target, why in (('/moved', 'again and again'), ('file:///etc/passwd', 'sends on to file:///etc/passwd'),
                        ('http://feeds.example/x', 'which is not https')):
        this.server.special['/moved'] = lambda handler, target=target: handler.answer(302, Location=target)
        check_in(why, this.tocsin('feeds', 'update', 'moved', status=75))
    this.server.special['/moved'] = lambda handler: handler.answer(304)
    os.unlink(os.path.join(this.state, 'feeds', 'moved'))
    check_in('answered 304', this.tocsin('feeds', 'update', 'moved', status=75))


@case('two updates at once do not meet, and a name that is none is said')
def update_twice(this):
    asked, go_on = threading.Event(), threading.Event()

    def slow(handler):
        asked.set()
        go_on.wait(30)
        handler.answer(200, b'slow.example\n')

    this.server.special['/slow'] = slow
    this.configure(f'feed slow {{ source "{this.server.url}/slow" format list }}\nfeed here {{ source "x" }}')
    with subprocess.Popen([program('tocsin'), 'feeds', '-c', this.conf, 'update', 'slow'], stdout=subprocess.PIPE,
                          text=True) as first:
        check(asked.wait(30), True)
        check_in('another update is at work', this.tocsin('feeds', 'update', 'slow', status=75))
        go_on.set()
        check_in('updated', first.communicate(timeout=30)[0])
    for command in 'update', 'status':
        check_in('no feed "none"', this.tocsin('feeds', command, 'none', status=66))
    check_in('nothing to fetch', this.tocsin('feeds', 'update', 'here', status=64))


@case('a slow feed has its time and holds up no other; what came of it is kept and the next run goes on')
def slow_feed(this):
    uuids = [f'{number:08x}-3333-4333-8444-555555555555' for number in range(12)]
    folder = os.path.join(this.state, 'feeds', 'crawl')

    def event(handler):
        time.sleep(0.4)
        uuid = handler.path.rsplit('/', 1)[1].removesuffix('.json')
        handler.answer(200, json.dumps(misp_event(uuid, f'crawl-{uuid[:8]}.example')).encode())

    def drip(handler):
        handler.send_response(200)
        handler.send_header('Content-Length', '100000')
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b'x' * 200)
            time.sleep(0.5)

    this.server.pages['/crawl/manifest.json'] = json.dumps({uuid: {'timestamp': '17'} for uuid in uuids}).encode()
    this.server.special.update({f'/crawl/{uuid}.json': event for uuid in uuids} | {'/drip': drip})
    this.server.etag = '"crawl"'
    this.server.pages['/quick.txt'] = b'quick.example\n'
    this.configure(f'''feed drip {{ source "{this.server.url}/drip" format list fetch-time 2s }}
feed crawl {{ source "{this.server.url}/crawl/" format misp status verified fetch-time 2s }}
feed quick {{ source "{this.server.url}/quick.txt" format list fetch-time 2s }}''')
    began = time.monotonic()
    done = subprocess.run([program('tocsin'), 'feeds', '-c', this.conf, 'update', '--json'], capture_output=True,
                          text=True, timeout=60)
    check(time.monotonic() - began < 20, True, 'all within the time of one')
    check(done.returncode, 75)
    said = {feed['feed']: feed for feed in json.loads(done.stdout)}
    check(list(said)[0], 'quick', 'the first')
    check({name: feed['outcome'] for name, feed in said.items()},
          {'quick': 'updated', 'crawl': 'unfinished', 'drip': 'failed'})
    check(said['drip']['problem'], 'fetch-time is over (2 s)')
    here = len(os.listdir(folder))
    check(0 < here < len(uuids), True, f'{here} events')
    check_in(f'{here} of {len(uuids)} events are here; what has come is kept, and the next update goes on',
             said['crawl']['problem'])
    check_in('not all fetched: fetch-time is over', this.tocsin('feeds', 'status', 'crawl'))
    check_in('not fetched, 1 time in a row: fetch-time is over (2 s)\n    asked for next in 4 minutes',
             this.tocsin('feeds', 'status', 'drip').replace('5 minutes', '4 minutes'))
    for _ in range(10):
        this.server.asked.clear()
        text = this.tocsin('feeds', 'update')
        if 'unfinished' not in text:
            break
    check_in('updated', text)
    check(len(os.listdir(folder)), len(uuids), 'files')
    check(len([path for path, _ in this.server.asked if uuids[0] in path or path == '/drip']), 0, 'asked for again')
    check(this.tocsin('feeds', 'update'), '', 'all is here')


@case('a slow TAXII collection keeps its place, also when the server has forgotten the name of the page')
def slow_taxii(this):
    path, names, forgetful = '/snail/collections/s/objects/', [f'snail-{number}.example' for number in range(9)], []

    def page(handler):
        at = int(urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query).get('next', ['0'])[0])
        if forgetful and at:
            forgetful.clear()
            return handler.answer(400)
        time.sleep(0.4)
        body = {'objects': [stix_indicator(600 + at, names[at])]}
        if at + 1 < len(names):
            body.update(more=True, next=str(at + 1))
        return handler.answer(200, json.dumps(body).encode(), X_TAXII_Date_Added_Last='2026-01-02T00:00:00Z')

    this.server.special[path] = page
    this.configure(f'feed snail {{ source "{this.server.url}/snail" collection "s" status verified fetch-time 2s }}')
    this.server.asked.clear()
    said = this.tocsin('feeds', 'update')
    check_in('unfinished', said)
    check_in('what has come is kept, and the next update goes on', said)
    first = len(this.server.asked)
    this.server.asked.clear()
    this.tocsin('feeds', 'update')
    check_in(f'next={first - 1}', this.server.asked[0][0])
    forgetful.append(True)
    this.server.asked.clear()
    this.tocsin('feeds', 'update')
    check(['next=' in url for url, _ in this.server.asked[:2]], [True, False], 'from the date on')
    for _ in range(10):
        if 'unfinished' not in this.tocsin('feeds', 'update', 'snail'):
            break
    this.tocsin('indicators', 'build')
    check([name for name in names if not this.acts(name)], [], 'lost')


@case('a server that fails or says Retry-After is not asked again before, but by name and with --force')
def retry(this):
    def asked(*options, status=0):
        this.server.asked.clear()
        this.tocsin('feeds', 'update', *options, status=status)
        return len(this.server.asked)

    def next_s():
        said = json.loads(this.tocsin('feeds', 'status', '--json', 'busy'))[0]
        return said['next'] - time.time(), said['failures'], said['fetch-problem']

    this.configure(f'feed busy {{ source "{this.server.url}/busy" format list refresh 1s }}')
    date = time.strftime('%a, %d %b %Y %H:%M:%S GMT', time.gmtime(time.time() + 7200))
    for code, after, wait in ((429, '3600', 3600), (503, date, 7200), (429, '99999999', 86400), (503, None, 2400),
                              (500, '7200', 4800), (404, None, 9600), (404, None, 14400), (404, None, 14400)):
        headers = {'Retry_After': after} if after else {}
        this.server.special['/busy'] = lambda handler, code=code, headers=headers: handler.answer(code, **headers)
        check(asked('busy', status=75), 1, 'by name')
        left, failures, problem = next_s()
        check(wait - 30 <= left <= wait + 1, True, f'{code} {after}: {left}')
        check_in(str(code), problem)
        check(asked(), 0, f'{code}: asked again')
    check(failures, 8)
    check_in('not fetched, 8 times in a row: the server answered 404\n    asked for next in',
             this.tocsin('feeds', 'status', 'busy'))
    check(asked('--force', status=75), 1, 'forced')
    this.server.special['/busy'] = lambda handler: handler.answer(200, b'busy.example\n')
    check(asked('busy'), 1)
    check(next_s()[1:], (0, ''))
    # what a source failed with says nothing of another
    this.server.special['/busy'] = lambda handler: handler.answer(500)
    asked('busy', status=75)
    this.configure(f'feed busy {{ source "{this.server.url}/list.txt" format list refresh 1s }}')
    this.server.pages['/list.txt'] = b'x.example\n'
    check(asked(), 1, 'another source')


@case('a MISP server that has enough is left alone in the middle; what came stays')
def refused_midway(this):
    uuids = [f'{number:08x}-4444-4333-8444-555555555555' for number in range(9)]
    this.server.special.update({f'/enough/{uuid}.json': lambda handler, uuid=uuid: handler.answer(
        200, json.dumps(misp_event(uuid, 'x.example')).encode()) for uuid in uuids[:4]})
    this.server.special[f'/enough/{uuids[4]}.json'] = lambda handler: handler.answer(429, Retry_After='1000')
    this.server.pages['/enough/manifest.json'] = json.dumps({uuid: {'timestamp': '7'} for uuid in uuids}).encode()
    this.server.etag = '"enough"'
    this.configure(f'feed enough {{ source "{this.server.url}/enough/" format misp }}')
    this.server.asked.clear()
    said = this.tocsin('feeds', 'update', 'enough', status=75)
    check_in('the server answered 429; what has come is kept', said)
    check_in('not asked again for 16 minutes', said)
    check(len(this.server.asked), 6, 'requests')
    this.server.asked.clear()
    this.tocsin('feeds', 'update', 'enough', status=75)
    check([url.split('/')[-1] for url, _ in this.server.asked], ['manifest.json', f'{uuids[4]}.json'])


@case('documents are not held in memory, however large a page or an event is')
def large_page(this):
    uuid, text = '7d357933-5555-48f7-837b-daa02f43427e', 'x' * (60 << 20)
    page = json.dumps({'objects': [dict(stix_indicator(700, 'large.example'), description=text)]}).encode()
    event = misp_event(uuid, 'large-event.example')
    event['Event']['info'] = text
    event = json.dumps(event).encode()
    this.server.special['/large/collections/c/objects/'] = lambda handler: handler.answer(200, page)
    this.server.special[f'/large/{uuid}.json'] = lambda handler: handler.answer(200, event)
    this.server.special['/large/manifest.json'] = lambda handler: handler.answer(
        200, json.dumps({uuid: {'timestamp': '7'}}).encode())
    for feed in (f'source "{this.server.url}/large" collection "c"', f'source "{this.server.url}/large/" format misp'):
        this.configure(f'feed large {{ {feed} }}')
        done = subprocess.run([program('tocsin'), 'feeds', '-c', this.conf, 'update', 'large'], capture_output=True,
                              text=True, timeout=60, check=False, preexec_fn=lambda: resource.setrlimit(
                                  resource.RLIMIT_DATA, (32 << 20, 32 << 20)) if not sanitized() else None)
        check(done.returncode, 0, f'{feed}: {done.stdout}{done.stderr}')
        check_in('1 objects', done.stdout)
        path = os.path.join(this.state, 'feeds', 'large')
        (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)


@case('root writes through no link in place of the folder of feeds')
def linked_folder(this):
    if os.geteuid() != 0:
        raise Skip('for root alone')
    folder, elsewhere = os.path.join(this.state, 'feeds'), os.path.join(this.top, 'elsewhere')
    this.server.pages['/list.txt'] = b'linked.example\n'
    this.configure(f'feed linked {{ source "{this.server.url}/list.txt" format list }}')
    os.makedirs(elsewhere)
    os.makedirs(folder, exist_ok=True)
    os.rename(folder, folder + '.kept')
    os.symlink(elsewhere, folder)
    check_in('is no folder', this.tocsin('feeds', 'update', status=77))
    check(os.listdir(elsewhere), [])
    os.unlink(folder)
    # and goes on as the one to whom the folder belongs
    os.mkdir(folder)
    os.chown(folder, 65534, 65534)
    check_in('updated', this.tocsin('feeds', 'update'))
    check(os.stat(os.path.join(folder, 'linked')).st_uid, 65534)
    shutil.rmtree(folder)
    os.rename(folder + '.kept', folder)


@case('a login in an address is refused where it is written, and is printed nowhere')
def login_in_address(this):
    for source in ('https://user:secret@feeds.example/x', f'http://u:secret@127.0.0.1:{this.server.server_address[1]}/',
                   'https://key-secret@feeds.example'):
        said = this.reconfigured_wrong(f'feed open {{ source "{source}" format list }}')
        check_in('auth-file', said)
        check_in('tocsin.conf:5:', said)
        check_not_in('secret', said)
    said = this.reconfigured_wrong('feed open { source "https://feeds.example/" proxy "http://u:secret@proxy:3128" }')
    check_in('https_proxy', said)
    check_not_in('secret', said)
    this.configure('feed open { source "https://feeds.example/a@b?c=d@e" format list }')
    this.tocsin('check')


@case('the index files of a MISP folder are as they should be; events that are not there are said')
def misp_folder(this):
    folder = os.path.join(this.top, 'misp-copy')
    os.makedirs(folder)
    absent = [f'{number:08x}-6666-4333-8444-555555555555' for number in range(3)]

    def write(name, text):
        with open(os.path.join(folder, name), 'w') as file:
            file.write(text)

    for form in '', 'format misp':
        this.configure(f'feed copy {{ source "{folder}" {form} status verified }} warninglists {{ }}')
        write(f'{UUIDS[0]}.json', json.dumps(misp_event(UUIDS[0], 'copied.example')))
        write('hashes.csv', 'd41d8cd98f00b204e9800998ecf8427e,x\n')
        write('manifest.json', json.dumps({UUIDS[0]: {'timestamp': '1'}}))
        check_not_in('warning', this.tocsin('check'))
        said = json.loads(this.tocsin('indicators', 'build', '--json'))['feeds'][0]
        check((said['files'], said['used'], said['left-out']), (1, 1, []), f'{said}')
        write('manifest.json', json.dumps({uuid: {'timestamp': '1'} for uuid in [UUIDS[0], *absent]}))
        for command in ('check',), ('indicators', 'build'), ('indicators', 'explain', 'copy'):
            said = this.tocsin(*command)
            check_in(f'manifest.json: names 3 events that are not here: {absent[0]}.json, ...', said)
            check(said.count('manifest.json'), 1, said)


def openssl(folder, *arguments):
    done = subprocess.run(['openssl', *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    check(done.returncode, 0, f'{arguments}: {done.stderr}')


def certificate(folder, name, *names, days='5'):
    """NAME.pem, with its key, of the authority ca.pem; those for `names`."""
    openssl(folder, 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout',
            f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}')
    with open(os.path.join(folder, f'{name}.ext'), 'w') as file:
        file.write(f'subjectAltName={",".join(names)}\n')
    openssl(folder, 'x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-out', f'{name}.pem', '-days', days, '-extfile', f'{name}.ext')


def tls_server(folder, name, clients=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f'{name}.pem'), os.path.join(folder, f'{name}.key'))
    if clients:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(os.path.join(folder, 'ca.pem'))
    server = Server(context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.pages['/list.txt'] = b'by-tls.example\n'
    return server


@case('a server with a certificate of an authority of our own: ca-file, wrong name, expired, self-signed, clients')
def tls(this):
    if shutil.which('openssl') is None:
        raise Skip('the openssl command is not installed')
    folder = os.path.join(this.top, 'tls')
    os.makedirs(folder)
    for name in 'ca', 'self':
        openssl(folder, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                '-keyout', f'{name}.key', '-out', f'{name}.pem', '-days', '5', '-subj', f'/CN={name}',
                '-addext', 'subjectAltName=IP:127.0.0.1')
    certificate(folder, 'good', 'IP:127.0.0.1', 'DNS:localhost')
    certificate(folder, 'wrong', 'DNS:other.example')
    certificate(folder, 'over', 'IP:127.0.0.1', days='-1')
    certificate(folder, 'client', 'DNS:client.example')

    def update(server, ca=True, more='', status=0, path='/list.txt'):
        trust = f'ca-file "{folder}/ca.pem"' if ca else ''
        this.configure(f'feed tls {{ source "{server.url}{path}" format list {trust} {more} }}')
        return this.tocsin('feeds', 'update', 'tls', status=status)

    good = tls_server(folder, 'good', clients=True)
    check_in('updated', update(good))
    check_in('certificate', update(good, ca=False, status=75))
    check_in('127.0.0.1', update(tls_server(folder, 'wrong'), status=75))
    check_in('expired', update(tls_server(folder, 'over'), status=75))
    check_in('certificate', update(tls_server(folder, 'self'), status=75))

    # who the client is goes to the server of the feed alone, as does the login
    auth = os.path.join(folder, 'auth')
    with open(auth, 'w') as file:
        file.write('Authorization: secret\n')
    os.chmod(auth, 0o600)
    other, seen = tls_server(folder, 'good', clients=True), []

    def who(handler):
        seen.append((handler.server is good, handler.connection.getpeercert() is not None and
                     handler.connection.getpeercert() != {}, handler.headers.get('Authorization')))
        handler.answer(200, b'by-tls.example\n')

    for server in good, other:
        server.special['/who'] = who
    other_url = other.url.replace('127.0.0.1', 'localhost')
    good.special['/away'] = lambda handler: handler.answer(302, Location=f'{other_url}/who')
    client = f'auth-file "{auth}" client-cert "{folder}/client.pem" client-key "{folder}/client.key"'
    os.chmod(f'{folder}/client.key', 0o640)
    check_in('chmod 0600', update(good, more=client, status=75, path='/who'))
    check_in('readable by others', this.tocsin('check'))
    os.chmod(f'{folder}/client.key', 0o600)
    update(good, more=client, path='/who')
    check_not_in('client-key', this.tocsin('check'))
    update(good, more=client, path='/away')
    check(seen, [(True, True, 'secret'), (False, False, None)])
    good.special['/down'] = lambda handler: handler.answer(302, Location=f'{this.server.url}/list.txt')
    check_in('which is not https', update(good, more=client, path='/down', status=75))

    # what `tocsin check` says of it
    source = f'feed tls {{ source "{good.url}/" format list %s }}'
    this.configure(source % f'ca-file "{folder}/none.pem" client-cert "{folder}/over.pem"')
    said = this.tocsin('check')
    check_in('none.pem: No such file', said)
    check_in('over.pem: a certificate in it has expired', said)
    said = this.reconfigured_wrong(source % f'ca-file "{folder}/ca.key"')
    check_in('there is no certificate in it', said)


@case('a proxy is used for https alone, by setting or environment')
def proxy(this):
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_CONNECT(self):
            asked.append(self.path)
            self.send_error(502)

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f'http://127.0.0.1:{server.server_address[1]}'
        for setting, variable in ((f'proxy "{url}"', ''), ('', url)):
            this.configure(f'feed far {{ source "https://feeds.example/x" format list {setting} }}')
            done = subprocess.run([program('tocsin'), 'feeds', '-c', this.conf, 'update', 'far'], text=True,
                                  capture_output=True, timeout=60, env={**os.environ, 'https_proxy': variable})
            check(done.returncode, 75)
            check_in('502', done.stderr)
        check(asked, ['feeds.example:443'] * 2)
        this.server.pages['/list.txt'] = b'near.example\n'
        this.configure(f'feed near {{ source "{this.server.url}/list.txt" format list proxy "{url}" }}')
        check_in('updated', this.tocsin('feeds', 'update', 'near'))
        server.shutdown()
    check(len(asked), 2)


@case('a MISP of our own is read over its API, with an export in the address or a search that is posted')
def misp_api(this):
    auth, search = os.path.join(this.top, 'misp.auth'), os.path.join(this.top, 'search.json')
    wanted = {'returnFormat': 'json', 'to_ids': True, 'published': True, 'last': '30d'}

    def attributes(handler):
        # As MISP does it: a key, and JSON asked for, or a page to log in is the answer.
        if (handler.headers.get('Authorization'), handler.headers.get('Accept')) != ('k' * 40, 'application/json'):
            return handler.answer(302, Location='/users/login')
        if handler.command == 'POST':
            if json.loads(handler.body) != wanted or handler.headers['Content-Type'] != 'application/json':
                return handler.answer(400)
        elif handler.path != '/attributes/restSearch/returnFormat:json/to_ids:1/published:1/last:30d':
            return handler.answer(404)
        return handler.answer(200, json.dumps({'response': {'Attribute': [
            {'id': '1', 'event_id': '1', 'uuid': UUIDS[0], 'type': 'domain', 'category': 'Network activity',
             'to_ids': True, 'timestamp': '1700000000', 'value': f'{handler.command.lower()}.api.example',
             'Event': {'id': '1', 'uuid': UUIDS[1], 'info': 'an event'}}]}}).encode())

    this.server.special['/attributes/restSearch'] = attributes
    this.server.special['/attributes/restSearch/returnFormat:json/to_ids:1/published:1/last:30d'] = attributes
    this.server.special['/users/login'] = lambda handler: handler.answer(200, b'<html>please log in</html>')
    with open(auth, 'w') as file:
        file.write('Authorization: ' + 'k' * 40 + '\n')
    os.chmod(auth, 0o600)
    with open(search, 'w') as file:
        json.dump(wanted, file)
    for path, more in (('/returnFormat:json/to_ids:1/published:1/last:30d', ''), ('', f'post-file "{search}"')):
        this.configure(f'feed own {{ source "{this.server.url}/attributes/restSearch{path}" format misp '
                       f'status verified auth-file "{auth}" {more} }} warninglists {{ }}')
        check_in('updated', this.tocsin('feeds', 'update', 'own'))
        this.tocsin('indicators', 'build')
        check(this.acts(f'{"post" if more else "get"}.api.example'), True, path)
    os.unlink(search)
    check_in('post-file', this.tocsin('check'))
    check_in('cannot read the post-file', this.tocsin('feeds', 'update', 'own', status=75))


@case('a TAXII 2.1 collection comes page by page, and later only what was added')
def taxii(this):
    this.configure(f'feed taxii {{ source "{this.server.url}/taxii/api" collection "c1" format stix '
                   'status verified refresh 1h }')
    check_in('2 objects', this.tocsin('feeds', 'update', 'taxii'))
    check_in('/taxii/api/collections/c1/objects/', this.server.asked[-1][0])
    this.server.collection.append(dict(stix_indicator(3, 'taxii-three.example'), added='2026-02-01T00:00:00Z'))
    check_in('1 objects', this.tocsin('feeds', 'update', '--force', 'taxii'))
    check_in('added_after=2026-01-02', this.server.asked[-1][0])
    this.tocsin('indicators', 'build')
    for value in ('taxii-one.example', 'taxii-two.example', 'taxii-three.example'):
        check(this.acts(value), True, value)


@case('a TAXII server that has more and names no next page is asked by the date of its last object')
def taxii_by_date(this):
    server = this.server
    server.names_no_next, before = True, server.collection
    server.collection = [dict(stix_indicator(number, f'by-date-{number}.example'), added=f'2026-03-0{number}T00:00:00Z')
                         for number in range(1, 5)]
    try:
        this.configure(f'feed dates {{ source "{server.url}/taxii/api" collection "c2" format stix status verified '
                       'refresh 1h }')
        check_in('4 objects', this.tocsin('feeds', 'update', 'dates'))
        this.tocsin('indicators', 'build')
        for number in range(1, 5):
            check(this.acts(f'by-date-{number}.example'), True, number)
        # the same date again and again would never end
        for item in server.collection:
            item['added'] = '2026-03-01T00:00:00Z'
        server.collection[0]['added'] = '2026-03-02T00:00:00Z'
        os.unlink(os.path.join(this.state, 'feeds', 'dates'))
        check_in('neither a next page nor a later date', this.tocsin('feeds', 'update', '--force', 'dates', status=75))
    finally:
        server.names_no_next, server.collection = False, before


@case('a MISP feed comes event by event; one that is missing does not lose the others')
def misp(this):
    this.server.etag = '"misp"'
    this.server.pages['/misp/manifest.json'] = json.dumps(
        {uuid: {'timestamp': '1700000000'} for uuid in UUIDS} | {'../../../etc/passwd': {'timestamp': '1'}}).encode()
    this.server.pages[f'/misp/{UUIDS[0]}.json'] = json.dumps(misp_event(UUIDS[0], 'misp-one.example')).encode()
    this.configure(f'feed misp {{ source "{this.server.url}/misp/" format misp status verified refresh 1h }}')
    check_in('1 objects', this.tocsin('feeds', 'update', 'misp'))
    check(sorted(os.listdir(os.path.join(this.state, 'feeds', 'misp'))), [f'{UUIDS[0]}.json'], 'files')
    this.tocsin('indicators', 'build')
    check(this.acts('misp-one.example'), True)


@case('what a server says in place of an event leaves the older one, and is asked for again')
def no_event(this):
    path = os.path.join(this.state, 'feeds', 'misp', f'{UUIDS[0]}.json')
    url = f'/misp/{UUIDS[0]}.json'
    with open(path, 'rb') as file:
        before = file.read()
    for number, body in enumerate((b'', b'<html>please log in</html>', b'{"error":"slow down"}', before[:40])):
        this.server.etag = f'"no-event-{number}"'
        this.server.pages['/misp/manifest.json'] = json.dumps({UUIDS[0]: {'timestamp': f'180000000{number}'}}).encode()
        this.server.pages[url] = body
        check_in('is no MISP event; an older one stays', this.tocsin('feeds', 'update', 'misp', status=75))
        with open(path, 'rb') as file:
            check(file.read(), before, f'{body}')
    this.server.pages[url] = before
    check_in('1 objects', this.tocsin('feeds', 'update', 'misp'))


@case('a broken object costs a TAXII page only itself; pages in a ring end')
def taxii_hostile(this):
    good, bad = json.dumps(stix_indicator(81, 'page.example'), indent=1), '{"type":"indicator","x":"\\ud800"}'
    path = '/pages/collections/c/objects/'
    this.server.special[path] = lambda handler: handler.answer(200, f'{{"objects":[{bad},\n{good},5]}}'.encode())
    this.configure(f'feed pages {{ source "{this.server.url}/pages" collection "c" status verified }}')
    check_in('3 objects', this.tocsin('feeds', 'update', 'pages'))
    this.tocsin('indicators', 'build')
    check(this.acts('page.example'), True)

    def ring(handler):
        after = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query).get('next', ['a'])[0]
        handler.answer(200, json.dumps({'objects': [], 'more': True, 'next': {'a': 'b', 'b': 'c', 'c': 'b'}[after]})
                       .encode(), X_TAXII_Date_Added_Last='2026-01-01T00:00:00Z')

    this.server.special[path] = ring
    before = len(this.server.asked)
    check_in('same next page again', this.tocsin('feeds', 'update', 'pages', status=75))
    check(len(this.server.asked) - before, 3, 'requests')


@case('an event that left the manifest is taken out, unless nearly all did')
def withdrawn(this):
    uuids = [f'{number:08x}-2222-4333-8444-555555555555' for number in range(40)]
    pages = {f'/w/{uuid}.json': json.dumps(misp_event(uuid, f'event-{number}.example')).encode()
             for number, uuid in enumerate(uuids)}
    folder = os.path.join(this.state, 'feeds', 'w')
    this.configure(f'feed w {{ source "{this.server.url}/w/" format misp status verified }}')
    for some, left in ((uuids, 40), (uuids[1:], 39), (uuids[:1], 39)):
        manifest = {uuid: {'timestamp': '1700000000'} for uuid in some}
        this.server.pages = {**pages, '/w/manifest.json': json.dumps(manifest).encode()}
        this.server.etag = f'"{left}{len(some)}"'
        this.tocsin('feeds', 'update', '--force')
        check(len([name for name in os.listdir(folder) if name.endswith('.json')]) in (left, left + 1), True, 'files')
    this.tocsin('indicators', 'build')
    check(this.acts('event-30.example'), True)


@case('a TAXII object is as its last version says, whatever page it comes on, and stays out once revoked')
def taxii_versions(this):
    def version(value, minute, **more):
        return dict(stix_indicator(7, value), modified=f'2026-04-01T00:{minute}Z', added='2026-04-01T00:00:00Z', **more)

    def update(after, *objects):
        server.collection = [dict(one, added=after) for one in objects]
        this.tocsin('feeds', 'update', '--force', 'life')
        this.tocsin('indicators', 'build')
        return [value for value in ('first.example', 'second.example', 'third.example') if this.acts(value)]

    server, before = this.server, this.server.collection
    first, second, third = (version('first.example', '00:00.100'), version('second.example', '00:00.200'),
                            version('third.example', '02:00'))
    revoked, other = version('second.example', '01:00', revoked=True), stix_indicator(8, 'other.example')
    try:
        this.configure(f'feed life {{ source "{server.url}/taxii/api" collection "c3" format stix status verified '
                       'refresh 1h }')
        check(update('2026-01-01T00:00:00Z', first, other, second), ['second.example'], 'the later page')
        check(update('2026-02-01T00:00:00Z', first), ['second.example'], 'an older version that was added late')
        check(update('2026-03-01T00:00:00Z', revoked), [], 'a revocation')
        check_in('added_after=2026-01-02', server.asked[-1][0])
        answer = this.tocsin('indicators', 'query', 'second.example', status=1)
        check_in('revoked by its publisher on 2026-04-01 00:01 UTC', answer)
        check_in('revoked by its publisher on', this.tocsin('indicators', 'query', revoked['id'], status=1))
        # the collection is fetched from its start, and the server has lost the revocation
        os.unlink(os.path.join(this.state, 'feeds', 'life'))
        check(update('2026-03-02T00:00:00Z', first, second, other), [], 'what was revoked')
        check_in('has gone back', this.tocsin('indicators', 'build'))
        check_in('has gone back', this.tocsin('feeds', 'status', 'life'))
        check(json.loads(this.tocsin('indicators', 'explain', 'life', '--json'))['ignored'],
              {'revoked': 2}, 'what explain says')
        check(update('2026-03-03T00:00:00Z', third), ['third.example'], 'a newer version')
        # and once more, to what was in force before that
        os.unlink(os.path.join(this.state, 'feeds', 'life'))
        check(update('2026-03-04T00:00:00Z', second, other), ['third.example'], 'what is in force')
        this.tocsin('indicators', 'build', '--accept', 'life')
        check(this.acts('second.example'), True, 'accepted as it is')
        check(this.acts('third.example'), False, 'accepted as it is')
    finally:
        server.collection = before


@case('a TAXII collection that has grown to max-size with its past versions is fetched from its start')
def taxii_grown(this):
    server, before, text = this.server, this.server.collection, 'x' * 300000
    try:
        this.configure(f'feed grown {{ source "{server.url}/taxii/api" collection "c4" format stix status verified '
                       'max-size 1MB }')
        server.collection = [dict(stix_indicator(number, f'grown-{number}.example'), description=text)
                             for number in range(3)]
        check_in('3 objects', this.tocsin('feeds', 'update', '--force', 'grown'))
        # a new version: with the three that are here it is too much
        server.collection[1] = dict(stix_indicator(1, 'grown-new.example'), description=text,
                                    modified='2026-05-01T00:00:00Z', added='2026-05-01T00:00:00Z')
        check_in('3 objects', this.tocsin('feeds', 'update', '--force', 'grown'))
        check(['added_after' in url for url, _ in server.asked[-4:]], [True, False, False, False], 'what was asked')
        this.tocsin('indicators', 'build')
        check([this.acts(f'grown-{name}.example') for name in (0, 1, 2, 'new')], [True, False, True, True], 'act')
        # what is too large from the start as well changes nothing
        server.collection.append(dict(stix_indicator(9, 'grown-9.example'), description=text,
                                      added='2026-06-01T00:00:00Z'))
        check_in('max-size', this.tocsin('feeds', 'update', '--force', 'grown', status=75))
        this.tocsin('indicators', 'build')
        check(this.acts('grown-new.example'), True, 'the old content')
    finally:
        server.collection = before


@case('an event of a MISP feed that is changed, taken back to an older state, withdrawn and brought back')
def misp_versions(this):
    def attribute(value, timestamp, **more):
        return dict({'uuid': f'{len(value):08d}-0000-4000-8000-000000000000', 'type': 'domain', 'to_ids': True,
                     'timestamp': str(timestamp), 'value': value}, **more)

    def update(stamp, *attributes, withdrawn=False):
        event = {'Event': {'uuid': UUIDS[0], 'info': 'i', 'timestamp': str(stamp), 'Attribute': list(attributes)}}
        manifest = {uuid: {'timestamp': str(stamp)} for uuid in UUIDS[withdrawn:]}
        kept = {'Event': {'uuid': UUIDS[1], 'info': 'i', 'timestamp': '1', 'Attribute': [attribute('stay.example', 1)]}}
        this.server.pages = {'/life/manifest.json': json.dumps(manifest).encode(),
                             f'/life/{UUIDS[0]}.json': json.dumps(event).encode(),
                             f'/life/{UUIDS[1]}.json': json.dumps(kept).encode()}
        this.server.etag = f'"{stamp}{withdrawn}{len(attributes)}"'
        this.tocsin('feeds', 'update', '--force', 'mlife')
        this.tocsin('indicators', 'build')
        check(this.acts('stay.example'), True, 'the other event')
        return [value for value in ('one.example', 'other.example') if this.acts(value)]

    this.configure(f'feed mlife {{ source "{this.server.url}/life/" format misp status verified refresh 1h }}')
    one, other = attribute('one.example', 1700000010), attribute('other.example', 1700000010)
    gone = attribute('one.example', 1700000020, deleted=True)
    check(update(1700000010, one, other), ['one.example', 'other.example'], 'at first')
    check(update(1700000020, gone, other), ['other.example'], 'one deleted')
    check(update(1700000010, one, other), ['other.example'], 'the older event again')
    check(update(1700000030, other), ['other.example'], 'no word of it any more')
    check(update(1700000010, one, other), ['other.example'], 'the older event once more')
    check(update(1700000040, one, other), ['one.example', 'other.example'], 'restored with its event')
    check(update(1700000040, withdrawn=True), [], 'the event has left the manifest')
    check(update(1700000040, one), ['one.example'], 'and is back')


@case('an indicator added by hand acts, one taken back does not')
def by_hand(this):
    this.tocsin('indicators', 'add', 'domain', 'by-hand.example', '--severity', 'critical', '--expire', '30d',
                '--description', 'ticket 41')
    check(this.acts('mail.by-hand.example'), True)
    check_in('ticket 41', this.tocsin('indicators', 'list'))
    this.tocsin('indicators', 'remove', 'domain', 'by-hand.example')
    check(this.acts('mail.by-hand.example'), False)
    this.tocsin('indicators', 'remove', '--mask', 'domain', 'misp-one.example')
    check(this.acts('misp-one.example'), False)
    check_in('not a digest', this.tocsin('indicators', 'add', 'sha256', 'xyz', status=65))
    check_in('good', this.tocsin('indicators', 'verify'))
    said = json.loads(this.tocsin('indicators', 'add', '--json', 'domain', 'json.example'))
    check((said['kind'], said['value'], said['done'], said['problem']), ('domain', 'json.example', True, ''))
    said = this.tocsin('indicators', 'add', '--json', 'sha256', 'xyz', status=65)
    check(json.loads(said.splitlines()[0])['done'], False)
    check(json.loads(this.tocsin('indicators', 'remove', '--json', 'domain', 'json.example'))['done'], True)


@case('adding by hand refuses what would match too much, as a build does; --force insists')
def by_hand_too_much(this):
    lists = os.path.join(this.top, 'known.json')
    with open(lists, 'w') as file:
        json.dump({'name': 'Well known', 'type': 'hostname', 'list': ['www.known.example'], 'version': 1}, file)
    this.configure(f'warninglists {{ "{lists}" }}')
    empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    for kind, value, reason, forced in (
            ('network', '0.0.0.0/0', 'too many addresses', False),
            ('network', '11.0.0.0/8', 'too many addresses', False),
            ('domain', 'com', 'top-level', False), ('domain', 'co.uk', 'public suffix', True),
            ('domain', 'tocsin.test', 'our own domains', True), ('network', '10.1.2.0/24', 'private or reserved', True),
            ('domain', 'known.example', 'something on the warninglist "Well known"', True),
            ('address', '@known.example', 'something on the warninglist "Well known"', True),
            ('url', 'https://tocsin.test/', 'our own domains', True),
            ('url', 'https://co.uk', 'public suffix', True),
            ('sha256', empty, 'digest of the empty file', True),
            ('sha1', hashlib.sha1(b'\r\n').hexdigest(), 'digest of a file of one line end', True),
            ('md5', hashlib.md5(b'\n').hexdigest(), 'digest of a file of one line end', True)):
        before = this.tocsin('indicators', 'list')
        said = this.tocsin('indicators', 'add', kind, value, status=65)
        check_in(f'not added: {kind} {value} is', said)
        check_in(reason, said)
        check('--force' in said, forced, said)
        check(this.tocsin('indicators', 'list'), before, 'nothing was added')
        said = this.tocsin('indicators', 'add', '--force', kind, value, status=0 if forced else 65)
        check_in('severity high, confidence 100, until removed' if forced else 'never acts', said)
        if forced:
            check(this.acts(value.removesuffix('/24')), True, value)
            this.tocsin('indicators', 'build')
            check(this.acts(value.removesuffix('/24')), True, value)
            check(value in this.tocsin('indicators', 'suppressed'), False, value)
            this.tocsin('indicators', 'remove', kind, value)
    check_in('--force goes with add', this.tocsin('indicators', 'remove', '--force', 'domain', 'co.uk', status=64))


@case('a line that came into local.indicators otherwise acts no more than one in a feed')
def by_hand_unchecked(this):
    path = os.path.join(this.state, 'local.indicators')
    with open(path) as file:
        before = file.read()
    with open(path, 'a') as file:
        for kind, value in (('domain', 'co.uk'), ('domain', 'known.example'), ('network', '0.0.0.0/0')):
            file.write(json.dumps({'op': 'add', 'kind': kind, 'value': value, 'force': value == '0.0.0.0/0'}) + '\n')
    check(this.acts('victim.co.uk'), False)
    check(this.acts('192.0.2.1'), False)
    check_in('public suffix', this.tocsin('indicators', 'query', 'co.uk', status=1))
    this.tocsin('indicators', 'build')
    said = this.tocsin('indicators', 'query', 'mail.known.example', status=1)
    check_in('taken out', said)
    check_in('Well known', said)
    for command in ('suppressed', 'list'):
        said = this.tocsin('indicators', command)
        for value in ('co.uk', 'known.example', '0.0.0.0/0'):
            check(sum(value in line for line in said.splitlines()), 1, f'{command}: {value} in {said}')
    check_in('does not act: is a public suffix', this.tocsin('indicators', 'list'))
    check_in('removed', this.tocsin('indicators', 'remove', 'domain', 'co.uk'))
    this.tocsin('indicators', 'remove', 'domain', 'known.example')
    this.tocsin('indicators', 'remove', 'network', '0.0.0.0/0')
    said = this.tocsin('indicators', 'suppressed')
    check([value for value in ('co.uk', 'known.example', '0.0.0.0/0') if value in said], [], said)
    with open(path, 'w') as file:
        file.write(before)


@case('what was not added by hand is not removed, and what still acts is named with the remedy')
def by_hand_absent(this):
    path = os.path.join(this.top, 'listed.txt')
    with open(path, 'w') as file:
        file.write('listed.example\n')
    this.configure(f'feed listed {{ source "{path}" format list }}')
    this.tocsin('indicators', 'build')
    said = this.tocsin('indicators', 'remove', 'domain', 'never.example', status=65)
    check_in('nothing removed: domain never.example was not added by hand', said)
    said = this.tocsin('indicators', 'remove', 'domain', 'www.listed.example', status=65)
    check_in("domain listed.example of feed listed acts on it; `tocsin indicators remove --mask domain "
             "'listed.example'` hides that", said)
    check_in('domain listed.example: masked in all feeds', this.tocsin(
        'indicators', 'remove', '--mask', 'domain', 'listed.example'))
    said = this.tocsin('indicators', 'remove', 'domain', 'listed.example')
    check_in('no longer masked; but domain listed.example of feed listed acts', said)
    check_in('--mask goes with remove', this.tocsin('indicators', 'add', '--mask', 'domain', 'x.example', status=64))


@case('what was added by hand is answered for once, and is not lost while its file cannot be read')
def by_hand_unread(this):
    path = os.path.join(this.state, 'local.indicators')
    this.tocsin('indicators', 'add', 'domain', 'by-hand-once.example')
    this.tocsin('indicators', 'build')
    said = json.loads(this.tocsin('indicators', 'query', '--json', 'by-hand-once.example'))
    check([one['reason'] for one in said['indicators']], ['acts'])
    os.rename(path, path + '.kept')
    os.symlink('local.indicators', path)
    check_in('cannot be read: Too many levels of symbolic links; its older content stays',
             this.tocsin('indicators', 'build'))
    os.unlink(path)
    with open(path, 'w') as file:
        os.truncate(file.fileno(), 65 << 20)
    check_in('local.indicators: File too large', this.tocsin('indicators', 'list', status=66))
    check_in('local.indicators is full', this.tocsin('indicators', 'add', 'domain', 'late.example', status=73))
    os.unlink(path)
    os.mkdir(path)
    check_in('local.indicators: Is a directory', this.tocsin('indicators', 'list', status=66))
    os.rmdir(path)
    os.rename(path + '.kept', path)
    check(this.acts('by-hand-once.example'), True)
    this.tocsin('indicators', 'remove', 'domain', 'by-hand-once.example')
    this.tocsin('indicators', 'build')
    check(json.loads(this.tocsin('indicators', 'query', '--json', 'by-hand-once.example', status=1))['indicators'], [])


@case('what is added by hand may be defanged, and ends after a duration or at a date that lies ahead')
def by_hand_forms(this):
    check_in('added domain hand.example: severity high, confidence 100, until removed',
             this.tocsin('indicators', 'add', 'domain', 'hand[.]example'))
    check(this.acts('hand.example'), True)
    check_in('2099-', this.tocsin('indicators', 'add', 'domain', 'hand.example', '--expire', '2099-01-31'))
    for wrong, why in (('0d', 'over already'), ('2020-01-01', 'over already'), ('friday', '30d')):
        check_in(why, this.tocsin('indicators', 'add', 'domain', 'hand.example', '--expire', wrong, status=64))
    check_in('2099-', this.tocsin('indicators', 'list'))
    check_in('compared whole', this.tocsin('indicators', 'add', 'filename', '*.exe', status=65))
    for kind, form in ('pattern', 'stix'), ('yara', 'yara'):
        check_in(f'comes from a feed: put it into a file of one, in format {form}',
                 this.tocsin('indicators', 'add', kind, "[url:value = 'http://x.example/']", status=65))
    this.tocsin('indicators', 'add', 'address', '@all-of.example')
    check_in('acts', this.tocsin('indicators', 'query', 'someone@all-of.example'))
    check(this.acts('someone@below.all-of.example'), False)


@case('one damaged octet anywhere in the store is found')
def damaged(this):
    path = os.path.join(this.state, 'indicators.store')
    with open(path, 'rb') as file:
        whole = file.read()
    step = max(1, len(whole) // 60)
    for at in [*range(0, 240, 7), *range(240, len(whole), step), len(whole) - 1]:
        octets = bytearray(whole)
        octets[at] ^= 0x10
        with open(path, 'wb') as file:
            file.write(octets)
        said = this.tocsin('indicators', 'verify', '--json', status=65)
        check_in('tocsin indicators build', said)
    with open(path, 'wb') as file:
        file.write(whole)
    check(json.loads(this.tocsin('indicators', 'verify', '--json'))['good'], True)


@case('a query says why an indicator does not act')
def reasons(this):
    lists = os.path.join(this.top, 'warninglist.json')
    with open(lists, 'w') as file:
        json.dump({'name': 'Well known', 'type': 'hostname', 'list': ['known.example'], 'version': 1}, file)
    path = os.path.join(this.top, 'reasons.csv')
    with open(path, 'w') as file:
        file.write('value,type,valid-until,confidence,to-ids\nold.example,domain,2020-01-01,90,1\n'
                   'low.example,domain,,10,1\ngood.example,domain,,90,1\nknown.example,domain,,90,1\n'
                   'seen.example,domain,,90,0\n')
    feed = f'feed q {{ source "{path}" format csv minimum-confidence 50 }}\nwarninglists {{ "{lists}" }}'
    this.configure(feed)
    this.tocsin('indicators', 'build')
    for value, reason in (('old.example', 'expired'), ('low.example', 'minimum-confidence'),
                          ('known.example', 'Well known'), ('seen.example', 'to_ids=false')):
        check_in(reason, this.tocsin('indicators', 'query', value, status=1))
    check_in('acts', this.tocsin('indicators', 'query', 'good.example'))
    check_in('not among', this.reconfigured(feed.replace('minimum', 'kinds { url } minimum')))
    check_in('no longer configured', this.reconfigured(''))
    for kind, value, why in (('md5', 'f' * 31, 'not a digest'), ('sha256', 'f' * 32, 'not a digest'),
                             ('network', 'good.example', 'not an IP address')):
        check_in(why, this.tocsin('indicators', 'query', '--kind', kind, value, status=65))


def hostname_list(path, name, *entries):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        json.dump({'name': name, 'type': 'hostname', 'list': entries}, file)


@case('warninglists of the state folder hold without a setting; that there are none is said once')
def default_warninglists(this):
    path, folder = os.path.join(this.top, 'many.txt'), os.path.join(this.state, 'warninglists')
    with open(path, 'w') as file:
        file.write('portal.example\ndesk.example\nbad.example\n')
    feed = f'feed many {{ source "{path}" format list }}'
    this.configure(feed)
    for words in (['check'], ['indicators', 'build']):
        text = this.tocsin(*words)
        check(text.count('there are no warninglists'), 1, text)
        check_in(folder, text)
        check_in('warninglists { }', text)
        check_in('there are no warninglists', this.tocsin(*words, '--json'))
    check(this.acts('portal.example'), True, 'without lists')
    hostname_list(os.path.join(folder, 'portals', 'list.json'), 'Portals', 'portal.example')
    for words in (['check'], ['indicators', 'build']):
        check_not_in('there are no warninglists', this.tocsin(*words))
    check((this.acts('portal.example'), this.acts('desk.example')), (False, True), 'a folder a list')
    hostname_list(os.path.join(folder, 'desks.json'), 'Desks', 'desk.example')
    this.tocsin('indicators', 'build')
    check((this.acts('portal.example'), this.acts('desk.example')), (False, False), 'both layouts beside each other')
    this.configure(feed + '\nwarninglists { }')
    for words in (['check'], ['indicators', 'build']):
        check_not_in('there are no warninglists', this.tocsin(*words))
    check(this.acts('desk.example'), True, 'none are wanted')


@case('a query names what was taken out and would have matched the value, from above as well')
def suppressed_above(this):
    path = os.path.join(this.top, 'above.txt')
    with open(path, 'w') as file:
        file.write('portal.example\n10.0.0.0/7\nhttp://tocsin.test/a/\nhttp://127.0.0.1/x/\nboss@tocsin.test\n')
    hostname_list(os.path.join(this.top, 'w', 'one.json'), 'Portals', 'portal.example')
    this.configure(f'feed a {{ source "{path}" format list }}\nwarninglists "{this.top}/w"')
    this.tocsin('indicators', 'build')
    for value, reason in (('www.portal.example', 'Portals'), ('http://www.portal.example/x', 'Portals'),
                          ('a@portal.example', 'Portals'), ('10.9.9.9', 'too many addresses'),
                          ('boss@tocsin.test', 'address of our own'),
                          ('http://127.0.0.1/x/y.html', 'private or reserved address')):
        check_in(reason, this.tocsin('indicators', 'query', value, status=1))
    check_in('no indicator', this.tocsin('indicators', 'query', 'notportal.example', status=1))


@case('what warninglists take out is no shrinking; a feed that did shrink can be accepted')
def shrinking(this):
    path, folder = os.path.join(this.top, 'shrinks.txt'), os.path.join(this.top, 'shrinks')

    def write(count):
        with open(path, 'w') as file:
            file.writelines(f'n{number}.example\n' for number in range(count))

    def build(*words):
        return json.loads(this.tocsin('indicators', 'build', '--json', *words))['feeds'][0]

    write(100)
    hostname_list(os.path.join(folder, 'none.json'), 'None', 'other.example')
    feed = f'feed shrinks {{ source "{path}" format list }}\nwarninglists "{folder}"\n'
    this.configure(feed)
    check(build()['used'], 100)
    hostname_list(os.path.join(folder, 'all.json'), 'All', *(f'n{number}.example' for number in range(99)))
    said = build()
    check((said['kept'], said['used'], said['suppressed']), (False, 1, 99), f'{said}')
    this.configure(feed + 'pin domain "n5.example"')
    said = build()
    check((said['kept'], said['used']), (False, 2), f'{said}')
    check(this.acts('n5.example'), True, 'pinned')
    write(0)
    for _ in range(2):
        said = build()
        check_in('indicators build --accept shrinks', said['warning'])
        check_in('(All)', this.tocsin('indicators', 'query', 'n6.example', status=1))
    os.remove(os.path.join(folder, 'all.json'))
    write(4)
    check((build()['kept'], this.acts('n99.example')), (True, True), 'kept')
    said = build('--accept', 'shrinks')
    check((said['kept'], said['used'], this.acts('n99.example')), (False, 4, False), f'{said}')
    check_in('no feed "shrink"', this.tocsin('indicators', 'build', '--accept', 'shrink', status=66))


@case('a pattern that any message makes true is taken out, and what is defanged is counted as that')
def broad_patterns(this):
    path = os.path.join(this.top, 'broad.json')
    broad = ["[domain-name:value != 'x.example']", "[email-addr:value MATCHES '.*']", "[url:value LIKE 'http%']",
             "[domain-name:value = 'evil.example' OR domain-name:value > 'a']", '[NOT EXISTS file:name]',
             "[domain-name:value LIKE '%.com']", "[url:value LIKE '%e%']"]
    narrow = ["[domain-name:value LIKE '%.evil-one.example']", "[email-message:subject MATCHES 'invoice [0-9]+']"]
    defanged = ["[url:value = 'hxxp://defanged.example/a']", "[domain-name:value = 'defanged[.]example']"]
    with open(path, 'w') as file:
        json.dump({'type': 'bundle', 'objects': [
            dict(stix_indicator(number, 'x'), pattern=pattern)
            for number, pattern in enumerate(broad + narrow + defanged)]}, file)
    this.configure(f'feed broad {{ source "{path}" format stix }}\nwarninglists {{ }}')
    said = json.loads(this.tocsin('indicators', 'build', '--json'))['feeds'][0]
    check((said['ignored']['too-broad'], said['ignored']['defanged']), (7, 2), f'{said}')
    check_in('any message makes true', this.tocsin('indicators', 'suppressed'))
    check_in('all names under a public suffix', this.tocsin('indicators', 'suppressed'))
    check_in('evil-one', this.tocsin('indicators', 'query', 'a.evil-one.example'))
    check_in('no indicator', this.tocsin('indicators', 'query', 'b.example', status=1))


def name_list(path, count, word='name'):
    with open(path, 'w') as file:
        file.writelines(f'{word}-{number}.example\n' for number in range(count))


@case('a feed that meets a limit is cut or keeps its old content, and the others are built')
def build_limits(this):
    big, small = os.path.join(this.top, 'limits-big.txt'), os.path.join(this.top, 'limits-small.txt')
    name_list(big, 150)
    name_list(small, 20, 'small')
    feeds = (f'feed big {{ source "{big}" format list %s }}'
             f'feed small {{ source "{small}" format list }} warninglists {{ }}\n')

    def build(own='', limits=''):
        this.configure(feeds % own + limits)
        said = json.loads(this.tocsin('indicators', 'build', '--json'))
        return {feed['feed']: feed for feed in said['feeds']}

    # Nothing is there yet: the first ones are used, half of the room at most.
    got = build(limits='limits { indicators 100 }')
    check((got['big']['used'], got['small']['used']), (50, 20), f'{got}')
    check_in('has 100 indicators too many for feed big { max-indicators 50 }', got['big']['warning'])
    check((got['big']['limits'], got['big']['ignored']), ({'max-indicators': 100}, {'too-many': 100}))
    check_in('100 indicators too many', this.tocsin('indicators', 'stat'))
    got = build('max-indicators 90', 'limits { indicators 100 }')
    check((got['big']['used'], got['small']['used']), (80, 20), f'the small one has its room: {got}')
    check_in('70 indicators too many for limits { indicators 100 }', got['big']['warning'])
    # What is added by hand has room, be it full.
    this.tocsin('indicators', 'add', 'domain', 'hand.example')
    got = build('max-indicators 90', 'limits { indicators 100 }')
    check(this.acts('hand.example'), True, f'{got}')
    this.tocsin('indicators', 'remove', 'domain', 'hand.example')
    # It was whole and has grown: the old content stays.
    got = build()
    check((got['big']['used'], got['big']['limits']), (150, {}), f'{got}')
    name_list(big, 250, 'grown')
    got = build('max-indicators 200')
    check((got['big']['used'], got['big']['kept'], got['small']['kept']), (150, True, False), f'{got}')
    check_in('has 50 indicators too many for feed big { max-indicators 200 }; its older content stays',
             got['big']['warning'])
    check(this.acts('name-149.example'), True)
    # What the limit does not even allow the old content is no reason to keep it.
    got = build('max-indicators 120')
    check((got['big']['used'], got['big']['kept']), (120, False), f'{got}')
    check_in('warning: 130 indicators too many for feed big { max-indicators 120 }',
             this.tocsin('indicators', 'explain', 'big'))
    check_in('takes a number from 1 to', this.reconfigured_wrong(feeds % 'max-indicators 0'))


@case('every limit of a feed is a setting, and what is beyond is counted with its name')
def limits_named(this):
    path = os.path.join(this.top, 'named.json')
    objects = [dict(stix_indicator(number, 'x'), pattern_type='yara', pattern=f'rule r{number} {{ condition: true }}')
               for number in range(5)]
    objects += [stix_indicator(10 + number, 'same.example') for number in range(4)]
    objects.append(dict(stix_indicator(20, 'x'), pattern="[domain-name:value IN ('a.example', 'b.example', 'c.x')]"))
    objects.append(dict(stix_indicator(21, 'x'), pattern=f"[domain-name:value = '{'l' * 60}.{'l' * 60}.example']"))
    objects.append(dict(stix_indicator(22, 'deep.example'), x=[[[[[[1]]]]]]))
    objects.append(dict(stix_indicator(23, 'large.example'), x='large' * 500))
    for number in range(3):
        objects.append(dict(stix_indicator(30 + number, 'x'), pattern=f"[file:name LIKE 'invoice-{number}%']"))
    with open(path, 'w') as file:
        json.dump({'type': 'bundle', 'objects': objects}, file)
    lines = os.path.join(this.top, 'named.txt')
    with open(lines, 'w') as file:
        file.write('one.example\n' + 'x' * 150 + '.example\n')
    folder = os.path.join(this.top, 'named')
    os.mkdir(folder)
    for name in 'abc':
        name_list(os.path.join(folder, name), 2, name)
    wide = os.path.join(this.top, 'wide.csv')
    with open(wide, 'w') as file:
        file.write('a,b,c,domain\n1,2,3,four.example\n1,2,three.example,4\n')
    broad = os.path.join(this.top, 'broad.txt')
    with open(broad, 'w') as file:
        file.write('good.example\nco.uk\norg.uk\nac.uk\n')
    each = os.path.join(this.top, 'each.json')
    with open(each, 'w') as file:
        for name in ('one', 'two' + 'o' * 3000, 'three'):
            file.write(json.dumps({'domain': f'{name}.example'}) + '\n')
    this.configure(f'''feed objects {{ source "{path}" format stix }}
feed lines {{ source "{lines}" format list }}
feed folder {{ source "{folder}" format list }}
feed broad {{ source "{broad}" format list kinds {{ domain }} }}
feed wide {{ source "{wide}" format csv }}
feed each {{ source "{each}" format json }}
warninglists {{ }}
limits {{ feed-yara-rules 6 indicators-per-value 2 feed-pattern-terms 2 feed-pattern 100 feed-depth 4
         feed-object 2000 unkeyed-patterns 2 feed-line 100 feed-files 2 suppressed-listed 1 feed-columns 3 }}''')
    said = json.loads(this.tocsin('indicators', 'build', '--json'))
    got = {feed['feed']: feed['limits'] for feed in said['feeds']}
    check(got['objects'], {'feed-yara-rules': 2, 'indicators-per-value': 2, 'feed-pattern-terms': 1, 'feed-pattern': 1,
                           'feed-depth': 1, 'feed-object': 1, 'unkeyed-patterns': 2}, f'{said}')
    check((got['lines'], got['folder']), ({'feed-line': 1}, {'feed-files': 1}), f'{said}')
    check(said['feeds'][2]['left-out'], ['c: is one file too many'], 'the last by name')
    check((got['broad'], got['local']), ({'suppressed-listed': 2}, {}), f'{said}')
    check((got['each'], said['feeds'][5]['used']), ({'feed-object': 1}, 2), f'{said}')
    check((got['wide'], said['feeds'][4]['used']), ({'feed-columns': 3}, 1), f'{said}')
    for line in ('feed objects: 2 YARA rules too many for limits { feed-yara-rules 6 }; a higher one takes them',
                 'feed objects: 1 objects nested too deeply for limits { feed-depth 4 }; a higher one takes them',
                 'feed lines: 1 lines or rows too long for limits { feed-line 100 }; a higher one takes them'):
        check_in(line, '\n'.join(said['warnings']))
    check_in('warning: 1 lines or rows too long for limits { feed-line 100 }',
             this.tocsin('indicators', 'explain', 'lines'))


@case('a warninglist is followed in the types that it names, and what is broken in it is said')
def warninglists(this):
    path = os.path.join(this.top, 'listed.json')
    with open(path, 'w') as file:
        json.dump({'Event': {'uuid': UUIDS[0], 'info': 'x', 'timestamp': '1700000000', 'Attribute': [
            {'uuid': f'{number:08d}-c388-445e-a794-f738e6000d7e', 'type': kind, 'to_ids': True, 'value': value}
            for number, (kind, value) in enumerate([
                ('domain', 'mail.example'), ('email-src', 'abuse@one.example'),
                ('email-subject', 'abuse@two.example'), ('filename', 'update.exe'), ('domain', 'cert.example'),
                ('email-subject', 'slow ' + 'a' * 40)])]}}, file)
    lists = os.path.join(this.top, 'lists')
    os.mkdir(lists)

    def write(name, kind, entries, types=None):
        with open(os.path.join(lists, f'{name}.json'), 'w') as file:
            json.dump({'name': name, 'type': kind, 'list': entries,
                       **({'matching_attributes': types} if types else {})}, file)

    write('providers', 'hostname', ['mail.example'], ['email-src', 'whois-registrant-email'])
    write('contacts', 'regex', ['/^abuse@/'], ['email-src', 'target-email'])
    write('names', 'string', ['update.exe', 'cert.example'], ['filename'])
    write('certificates', 'string', ['cert.example'], ['x509-fingerprint-sha1'])
    write('broken', 'regex', ['/(/', 7, '', '/[a/', '/good$/'])
    write('ranges', 'cidr', ['192.0.2.0/24', '192.0.2.0/40', 'name.example'])
    write('odd', 'glob', ['*.example'])
    this.configure(f'feed x {{ source "{path}" format misp }} warninglists {{ "{lists}" }}')
    said = json.loads(this.tocsin('indicators', 'build', '--json'))
    check((said['feeds'][0]['used'], said['feeds'][0]['suppressed']), (3, 3), f'{said}')
    taken = {line['value']: line['reason'] for line in json.loads(this.tocsin('indicators', 'suppressed', '--json'))}
    check(taken, {'mail.example': 'providers', 'abuse@one.example': 'contacts', 'update.exe': 'names'})
    check(said['warninglists'], {'lists': 6, 'entries': 6, 'broken': 6}, f'{said}')
    warnings = '\n'.join(said['warnings'])
    for line in ('broken.json: entry 1, "/(/", is left out: missing closing parenthesis',
                 'broken.json: entry 2, "7", is left out: no text in quotation marks',
                 'broken.json: entry 3, "", is left out: empty', 'broken.json: and 1 more entries are left out',
                 'ranges.json: entry 2, "192.0.2.0/40", is left out: no address and no network',
                 'odd.json: is of an unknown type'):
        check_in(line, warnings)
    check_in('warninglists: 6 lists, 6 entries, 6 broken', this.tocsin('indicators', 'stat'))
    check_in('entry 1, "/(/", is left out', this.tocsin('indicators', 'explain', 'x'))
    # And its limits.
    write('slow', 'regex', ['/^slow (a+)+[bc]/'])
    this.configure(f'''feed x {{ source "{path}" format misp }} warninglists {{ "{lists}" }}
limits {{ warninglist-files 6 warninglist-entries 2 warninglist-regexes 2 warninglist-size 1kB regex-steps 1000 }}''')
    write('names', 'string', ['update.exe'] * 200)
    warnings = '\n'.join(json.loads(this.tocsin('indicators', 'build', '--json'))['warnings'])
    for line in ('names.json: is too large for limits { warninglist-size 1000 }',
                 'entries are too many for limits { warninglist-entries 2 }',
                 'entries are too many for limits { warninglist-regexes 2 }'):
        check_in(line, warnings)
    os.unlink(os.path.join(lists, 'names.json'))
    this.configure(f'''feed x {{ source "{path}" format misp }} warninglists {{ "{lists}" }}
limits {{ warninglist-files 4 regex-steps 1000 }}''')
    warnings = '\n'.join(json.loads(this.tocsin('indicators', 'build', '--json'))['warnings'])
    check_in('is one too many for limits { warninglist-files 4 }', warnings)
    this.configure(f'''feed x {{ source "{path}" format misp }} warninglists {{ "{lists}/slow.json" }}
limits {{ regex-steps 1000 }}''')
    warnings = '\n'.join(json.loads(this.tocsin('indicators', 'build', '--json'))['warnings'])
    check_in('given up 1 times: too many steps for limits { regex-steps 1000 }', warnings)


@case('a heading that is not there is an error of check, with those that are and the nearest')
def headings(this):
    path = os.path.join(this.top, 'heading.csv')

    def check_with(columns, status):
        this.configure(f'feed x {{ source "{path}" format csv {columns} }} warninglists {{ }}')
        return this.tocsin('check', status=status)

    with open(path, 'w') as file:
        file.write('# made today\nIndikator;Typ;Datum\nevil.example;domain;2026-11-20\n')
    said = check_with('columns { value "Indicator" type "Typ" }', 78)
    check_in(f'feed x: {path} has no column named "Indicator"; it has Indikator, Typ, Datum; did you mean "Indikator"?',
             said)
    check_with('columns { value "indikator" type "Typ" }', 0)
    with open(path, 'w') as file:
        file.write('# when,what,which\n2026-11-20,evil.example,domain\n')
    check_with('columns { value "what" type "which" }', 0)
    check_in('1 read, 1 used', this.tocsin('indicators', 'explain', 'x'))
    with open(path, 'wb') as file:
        file.write(b'PK\x03\x04')
    check_in('error: feed x', check_with('', 78))
    check_in('save the sheet as CSV', check_with('', 78))
    # A publisher that serves something else today is no fault of the settings.
    fetched = os.path.join(this.state, 'feeds', 'web')
    os.makedirs(os.path.dirname(fetched), exist_ok=True)
    with open(fetched, 'w') as file:
        file.write('<html>log in</html>')
    this.configure(f'feed web {{ source "{this.server.url}/x" format csv }} warninglists {{ }}')
    check_in('warning: feed web', this.tocsin('check'))
    os.unlink(fetched)
    with open(path, 'w') as file:
        json.dump({'data': [{'Indikator': 'evil.example', 'Typ': 'domain'}, {'other': 1}]}, file)
    check_with('columns { value "Indicator" }', 0)
    check_in('has no member named "Indicator"; it has Indikator, Typ; did you mean "Indikator"?',
             this.tocsin('indicators', 'explain', 'x', status=65))
    check_with('columns { value "Indikator" type "Typ" }', 0)
    check_in('1 read, 1 used', this.tocsin('indicators', 'explain', 'x'))


@case('a column whose heading is not known and that holds indicators is named')
def unread_columns(this):
    path = os.path.join(this.top, 'mails.csv')
    this.configure(f'feed x {{ source "{path}" format csv }} warninglists {{ }}')
    with open(path, 'w') as file:
        file.write('Subject,Absender,Land,Beilage\nYour invoice 77,evil@evil.example,AT,' + 'ab' * 32 + '\n')
    said = this.tocsin('indicators', 'explain', 'x')
    check_in('1 read, 1 used', said)
    check_in('column "Absender" is not read, though it holds what looks like an indicator', said)
    check_in('column "Beilage" is not read', said)
    check('"Land"' in said, False, said)
    this.configure(f'feed x {{ source "{path}" format csv '
                   'columns { address "Absender" sha256 "Beilage" } } warninglists { }')
    said = this.tocsin('indicators', 'explain', 'x')
    check_in('2 read, 2 used', said)
    check('is not read' in said, False, said)


@case('a list with bullets is read; of what stands in sentences only what is defanged')
def bullets(this):
    path, digest = os.path.join(this.top, 'report.txt'), 'ab' * 32
    this.configure(f'feed x {{ source "{path}" format list refang on }} warninglists {{ }}')
    with open(path, 'w') as file:
        file.write('- evil-1.example\n* evil-2[.]example\n\u2022 hxxp://evil-3.example/a\n12. evil-4.example\n'
                   f'- {digest} - 46 bytes - a.pdf\nevil-5[.]example (of the second wave)\n'
                   '- https://blog.example/report\nsee https://blog.example/other\nblog.example has more\n'
                   '- no value\n192.0.2.0/255.255.255.0\n*@evil-6.example\n')
    said = json.loads(this.tocsin('indicators', 'explain', '--json', 'x'))
    check((said['used'], said['ignored']), (7, {'bad-value': 5}), f'{said}')
    this.tocsin('indicators', 'build')
    check_in('of the second wave', this.tocsin('indicators', 'query', 'evil-5.example'))
    check_in('address *@evil-6.example', this.tocsin('indicators', 'query', 'someone@evil-6.example'))


@case('a query without a kind finds file names, subjects, mailers and message-ids as well')
def query_of_texts(this):
    path = os.path.join(this.top, 'texts.csv')
    this.configure(f'feed x {{ source "{path}" format csv }} warninglists {{ }}')
    texts = {'filename': 'invoice.pdf', 'subject': 'Your invoice 77', 'mailer': 'Evil 1.0',
             'message-id': '<1@evil.example>'}
    with open(path, 'w') as file:
        file.write('type,value\n' + ''.join(f'{kind},{value}\n' for kind, value in texts.items()))
    this.tocsin('indicators', 'build')
    for kind, value in texts.items():
        check_in(f'{kind} {value}', this.tocsin('indicators', 'query', value))
    check_in('no value of any kind', this.tocsin('indicators', 'query', 'Your invoice 78', status=65))
    check_in('no indicator matches this address', this.tocsin('indicators', 'query', '<2@evil.example>', status=1))


@case('a word for a type that is not known is named and counted, and those of the manual are known')
def type_words(this):
    path = os.path.join(this.top, 'words.csv')
    this.configure(f'feed x {{ source "{path}" format csv }} warninglists {{ }}')
    with open(path, 'w') as file:
        file.write('type,value\nGizmo,evil.example\nGizmo,bad.example\nGadget,' + 'a' * 32 + '\n')
    said = json.loads(this.tocsin('indicators', 'explain', '--json', 'x'))
    check((said['used'], said['unknown-types']), (2, {'Gizmo': 2, 'Gadget': 1}), f'{said}')
    check_in('2 values of the unknown type "Gizmo"', this.tocsin('indicators', 'explain', 'x'))
    values = {'address': 'bad@evil.example', 'domain': 'evil.example', 'url': 'http://evil.example/x',
              'network': '198.18.7.7', 'md5': 'a' * 31 + '1', 'sha1': 'a' * 39 + '1', 'sha256': 'a' * 63 + '1',
              'sha512': 'a' * 127 + '1', 'filename': 'invoice.exe', 'subject': 'Your invoice', 'mailer': 'Evil 1.0',
              'message-id': '1@evil.example', 'pattern': "[file:name LIKE 'invoice%']"}
    with open(os.path.join(SOURCE, 'packaging', 'man', 'tocsin-feeds.5')) as file:
        page = file.read().split('A test reads these lists.')[1].split('.El')[0]
    seen = 0
    for part in page.split('.It Cm ')[1:]:
        kind, words = part.split('\n', 1)
        for word in words.replace('\n', ' ').split(','):
            value = values[kind]
            if word.strip().startswith('filename|') or 'malware-sample' in word:
                value = 'invoice.exe|' + value
            with open(path, 'w') as file:
                file.write(f'type,value\n{word.strip()},"{value}"\n')
            said = json.loads(this.tocsin('indicators', 'explain', '--json', 'x'))
            check((said['unknown-types'], said['read']), ({}, 1), f'{word}: {said}')
            check(said['ignored'].get('not-visible', 0), 0, f'{word}: {said}')
            seen += 1
    check(seen > 60, True, f'{seen} words')


@case('a pattern in a CSV acts as one in STIX')
def csv_pattern(this):
    path = os.path.join(this.top, 'patterns.csv')
    this.configure(f'feed x {{ source "{path}" format csv }} warninglists {{ }}')
    with open(path, 'w') as file:
        file.write('id;entity_type;pattern;pattern_type;confidence\n')
        file.write("1;Indicator;[domain-name:value = 'pattern.example'];stix;70\n")
        file.write("2;Indicator;[url:value = 'http://pattern.example/x' AND email-message:subject = 'y'];stix;70\n")
        file.write("3;Indicator;[url:value = ];stix;70\n")
    said = json.loads(this.tocsin('indicators', 'build', '--json'))
    said = said['feeds'][0]
    check((said['used'], said['ignored']), (2, {'bad-pattern': 1, 'not-indicator': 1}), f'{said}')
    check(this.acts('pattern.example'), True)
    check_in('"confidence":70', this.tocsin('indicators', 'query', '--json', 'pattern.example'))


@case('the counts of a feed add up, in a build as in an explanation, and a pin says what it does')
def counts(this):
    path = os.path.join(this.top, 'counts.csv')
    with open(path, 'w') as file:
        file.write('value,comment\none.example,x\nhxxp://two[.]example/a,x\ntocsin.test,own\n192.0.2.99,net\n'
                   '203.0.114.4,net\none.example,again\nweb.app,pinned\n')
    bundle = os.path.join(this.top, 'counts.json')
    both = "[domain-name:value = 'either.example' OR email-addr:value = 'x@or.example']"
    with open(bundle, 'w') as file:
        json.dump({'type': 'bundle', 'objects': [dict(stix_indicator(1, 'x'), pattern=both),
                                                 stix_indicator(2, 'three.example')]}, file)
    feeds = f'feed c {{ source "{path}" format csv }}\nfeed s {{ source "{bundle}" format stix }}\n'
    this.configure(feeds + 'pin domain "web.app"\npin domain "nowhere.example"')
    said = this.tocsin('indicators', 'build')
    check_in('pin domain "web.app" brings back 1 that would be out: is a public suffix', said)
    check_in('pin domain "nowhere.example" brings back nothing', said)
    built = {feed['feed']: feed for feed in json.loads(this.tocsin('indicators', 'build', '--json'))['feeds']}
    for name in 'c', 's':
        explained = json.loads(this.tocsin('indicators', 'explain', '--json', name))
        for feed in (built[name], explained):
            lost = sum(count for reason, count in feed['ignored'].items() if reason != 'not-indicator')
            check(feed['read'], feed['used'] + lost, f'{name}: {feed}')
        for member in ('read', 'used', 'ignored'):
            check(explained[member], built[name][member], member)
    check((built['c']['used'], built['c']['suppressed'], built['c']['ignored']['repeated']), (3, 2, 1))
    said = this.tocsin('indicators', 'explain', 's')
    check_in('1 pattern', said)
    check('address' in said, False, said)
    check_in('pinned in the configuration', this.tocsin('indicators', 'query', 'web.app'))
    said = this.tocsin('indicators', 'query', 'tocsin.test', status=1)
    check_in('is one of our own domains', said)
    for empty in ('severity', 'confidence', ', id \n'):
        check(empty in said, False, said)


@case('a query of an address says where it counts while client-ip is off')
def client_ip(this):
    path = os.path.join(this.top, 'networks.json')
    with open(path, 'w') as file:
        json.dump({'Event': {'uuid': UUIDS[0], 'info': 'an event', 'timestamp': '1700000000', 'Attribute': [
            {'type': kind, 'to_ids': True, 'value': value}
            for kind, value in (('ip-src', '203.0.114.1'), ('ip-dst', '203.0.114.2'))]}}, file)
    with open(os.path.join(this.top, 'any.txt'), 'w') as file:
        file.write('203.0.114.3\n')
    feed = f'feed m {{ source "{path}" format misp %s }}\nfeed l {{ source "{this.top}/any.txt" format list %s }}'
    this.configure(feed % ('', ''))
    this.tocsin('indicators', 'build')
    check_in('does not act: client-ip is off', this.tocsin('indicators', 'query', '203.0.114.1', status=1))
    check_in('acts (as the host of a URL only)', this.tocsin('indicators', 'query', '203.0.114.2'))
    check_in('acts (as the host of a URL only: client-ip is off)', this.tocsin('indicators', 'query', '203.0.114.3'))
    this.configure(feed % ('client-ip on', 'client-ip on'))
    check_in('acts (as the client or a hop only)', this.tocsin('indicators', 'query', '203.0.114.1'))
    check_in('acts\n', this.tocsin('indicators', 'query', '203.0.114.3'))


@case('a query that could not look does not say that nothing matches')
def not_looked(this):
    store = os.path.join(this.state, 'indicators.store')
    this.configure(f'feed l {{ source "{this.top}/any.txt" format list }}')
    os.rename(store, store + '.away')
    said = this.tocsin('indicators', 'query', 'clean.example', status=66)
    check_in('there is no store yet', said)
    check('no indicator matches' in said, False, said)
    this.tocsin('indicators', 'query', '--json', 'clean.example', status=66)
    this.tocsin('indicators', 'add', 'domain', 'known-by-hand.example')
    check_in('acts', this.tocsin('indicators', 'query', 'known-by-hand.example'))
    this.configure('')
    check_in('no indicator matches', this.tocsin('indicators', 'query', 'clean.example', status=1))
    os.rename(store + '.away', store)
    this.configure(f'feed late {{ source "{this.top}/any.txt" format list }}')
    check_in('feed late is not in the store yet', this.tocsin('indicators', 'query', 'clean.example', status=1))


@case('values are compared as tocsin-feeds(5) says')
def compared(this):
    path = os.path.join(this.top, 'compared.txt')
    with open(path, 'w') as file:
        file.write('http://host.example/Kit/\nhttp://host.example/page.php\nhttp://u:p@login.example:80/a#f\n'
                   'http://query.example/a?x=1\n')
    this.configure(f'feed compared {{ source "{path}" format list }}')
    this.tocsin('indicators', 'build')
    this.tocsin('indicators', 'add', 'filename', 'Facture  \u00c9.exe')
    this.tocsin('indicators', 'add', 'subject', 'Votre  Facture')
    for kind, value, acts in (
            ('url', 'https://host.example/Kit/a', 1), ('url', 'https://host.example/kit/a', 0),
            ('url', 'https://host.example/page.php?z', 1), ('url', 'https://host.example/Page.php', 0),
            ('url', 'https://login.example/a', 1), ('url', 'http://login.example:8080/a', 0),
            ('url', 'http://query.example/a?x=1', 1), ('url', 'http://query.example/a', 0),
            ('url', 'http://query.example/a?x=1&y', 0), ('filename', 'FACTURE \u00e9.EXE', 1),
            ('filename', 'facture e.exe', 0), ('subject', 'VOTRE facture', 1), ('subject', 'Re: votre facture', 0)):
        this.tocsin('indicators', 'query', '-k', kind, value, status=0 if acts else 1)


@case('the status says how old the content in force is, and why older content was kept')
def status(this):
    path = os.path.join(this.top, 'aged.txt')

    def write(text, age):
        with open(path, 'w') as file:
            file.write(text)
        os.utime(path, (time.time() - age,) * 2)
        this.tocsin('indicators', 'build')
        return json.loads(this.tocsin('feeds', 'status', '--json', 'aged'))[0]

    this.configure(f'feed aged {{ source "{path}" }}\nfeed absent {{ source "{path}.none" }}')
    check_in('not in the store yet', this.tocsin('feeds', 'status', 'aged'))
    said = write('aged.example\n', 5 * 86400)
    check((said['age'] // 86400, said['used'], said['kept'], said['problem']), (5, 1, False, ''), 'good content')
    check_in('5 days old, 1 of 1', this.tocsin('feeds', 'status', 'aged'))
    said = write('', 0)
    check((said['age'] // 86400, said['used'], said['kept'], said['problem']), (5, 1, True, 'is empty'), 'emptied')
    text = this.tocsin('feeds', 'status')
    check_in('older content kept', text)
    check_in('is empty', text)
    check_in('the source is not there', text)
    check_in('No such file', text)


@case('colours come from the markings that a bundle defines itself, and from those of parts')
def colours(this):
    def marking(number, **what):
        return {'type': 'marking-definition', 'id': f'marking-definition--{number:08d}-1111-4111-8111-111111111111',
                'created': '2026-01-01T00:00:00Z', **what}

    extension = {'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d': {
        'extension_type': 'property-extension', 'tlp_2_0': 'red'}}
    before = [marking(1, definition_type='tlp', definition={'tlp': 'green'}),
              marking(2, definition_type='statement', definition={'statement': 'ours'},
                      x_opencti_definition='TLP:AMBER+STRICT')]
    after = [marking(3, name='TLP:RED', extensions=extension),
             marking(4, definition_type='statement', definition={'statement': 'no colour'})]
    wanted = {1: 'green', 2: 'amber+strict', 3: 'red', 4: '', 9: ''}
    marked = [dict(stix_indicator(90 + number, f'colour-{number}.example'),
                   object_marking_refs=[f'marking-definition--{number:08d}-1111-4111-8111-111111111111'])
              for number in wanted]
    part = dict(stix_indicator(99, 'colour-5.example'), granular_markings=[
        {'selectors': ['description'], 'marking_ref': 'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1'}])
    wanted[5] = 'red'
    path = os.path.join(this.top, 'colours.json')
    this.configure(f'feed colours {{ source "{path}" format stix }}')
    for lines in False, True:
        objects = [*before, *marked, part, *after]
        with open(path, 'w') as file:
            file.write('\n'.join(map(json.dumps, objects)) if lines else
                       json.dumps({'type': 'bundle', 'objects': objects}, indent=1))
        this.tocsin('indicators', 'build')
        for number, colour in wanted.items():
            said = json.loads(this.tocsin('indicators', 'query', '--json', f'colour-{number}.example'))
            check(said['indicators'][0]['tlp'], colour, f'{number}')


@case('expire is for indicators that name no end')
def expires(this):
    def stix(number, days, **more):
        seen = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - days * 86400))
        return dict(stix_indicator(number, f'end-{number}.example'), modified=seen, valid_from=seen, **more)

    path = os.path.join(this.top, 'ends.json')
    with open(path, 'w') as file:
        json.dump({'type': 'bundle', 'objects': [
            stix(1, 5), stix(2, 20), stix(3, 20, valid_until='2099-01-01T00:00:00Z'),
            stix(4, 5, valid_until='2026-01-01T00:00:00Z')]}, file)
    this.configure(f'feed ends {{ source "{path}" format stix expire 10d }}')
    this.tocsin('indicators', 'build')
    check([this.acts(f'end-{number}.example') for number in range(1, 5)], [True, False, True, False])


@case('a rule sees all that a feed says of an indicator')
def metadata(this):
    whole = dict(stix_indicator(71, 'told.example'), description='campaign of autumn', confidence=77, labels=['phish'],
                 valid_until='2099-01-01T00:00:00Z',
                 object_marking_refs=['marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421'])
    source, mail = os.path.join(this.top, 'told.json'), os.path.join(this.top, 'told.eml')
    with open(source, 'w') as file:
        json.dump({'type': 'bundle', 'id': 'bundle--1', 'objects': [whole]}, file)
    with open(mail, 'w') as file:
        file.write('From: a@b.example\nSubject: x\n\nhttp://www.told.example/x\n')
    holds = ['.feed == "told"', f'.id == "{whole["id"]}"', '.type == domain', '.value == "told.example"',
             '.severity == high', '.strength == strong', '.confidence == 77', '.tags contains "phish"', '.tlp == amber',
             '.first-seen == 2026-01-01', '.expires > 2098-12-31', '.description contains "of autumn"',
             '.where == "text"', '.observed == "http://www.told.example/x"', 'not .partial', 'not .defanged']
    fails = ['.description contains "of spring"', '.tlp > amber', '.expires < 2099-01-01', '.confidence > 77']
    rules = ''.join(f'rule r{number} {{ when any indicator ({clause}) then tag }}\n'
                    for number, clause in enumerate(holds + fails))
    this.configure(f'feed told {{ source "{source}" format stix status verified severity high }}\n{rules}')
    this.tocsin('indicators', 'build')
    record = json.loads(this.tocsin('scan', '--json', mail).splitlines()[0])
    matched = [rule['name'] for rule in record['rules']]
    check([clause for number, clause in enumerate(holds) if f'r{number}' not in matched], [], 'do not hold')
    check(len(matched), len(holds), f'{matched}')
    hit, = json.loads(this.tocsin('scan', '--json', mail).splitlines()[0])['indicators']
    check({name: hit.get(name) for name in ('tlp', 'tags', 'description', 'first_seen')},
          {'tlp': 'amber', 'tags': ['phish'], 'description': 'campaign of autumn',
           'first_seen': '2026-01-01T00:00:00Z'}, f'{hit}')


@case('what is not yet valid counts for --as-of any alone, and is marked; descriptions are cut')
def not_yet_valid(this):
    soon = dict(stix_indicator(72, 'soon.example'), valid_from='2098-01-01T00:00:00Z', description='\u00e9' * 300)
    source, mail = os.path.join(this.top, 'soon.json'), os.path.join(this.top, 'soon.eml')
    with open(source, 'w') as file:
        json.dump({'type': 'bundle', 'id': 'bundle--1', 'objects': [soon]}, file)
    with open(mail, 'w') as file:
        file.write('From: a@b.example\nSubject: x\n\nhttp://www.soon.example/x\n')
    this.configure(f'feed soon {{ source "{source}" format stix }}')
    this.tocsin('indicators', 'build')
    check_in('not yet valid: from 2098-01-01', this.tocsin('indicators', 'query', 'soon.example', status=1))
    check(json.loads(this.tocsin('scan', '--json', '--as-of', 'now', mail).splitlines()[0])['indicators'], [])
    hit, = json.loads(this.tocsin('scan', '--json', '--as-of', 'any', mail).splitlines()[0])['indicators']
    check((hit['not_yet_valid'], hit['first_seen'], hit['description'][-100:]),
          (True, '2098-01-01T00:00:00Z', '\u00e9' * 100), f'{hit}')
    check(len(hit['description'].encode()) <= 200, True, f'{hit}')
    check_in('not yet valid', this.tocsin('scan', '--as-of', 'any', mail))


@case('the examples of tocsin-feeds(5) load as printed')
def manual(this):
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'packaging', 'man', 'tocsin-feeds.5')
    with open(page) as file:
        text = file.read()
    examples = text[text.index('.Bd -literal'):text.index('.Ed', text.index('.Bd -literal'))].split('\n', 1)[1]
    this.configure(examples)
    check_in('7 feeds', this.tocsin('check'))


@contextlib.contextmanager
def make():
    with tempfile.TemporaryDirectory(prefix='tocsin-feeds-') as top:
        os.chmod(top, 0o755)
        yield Bench(top)


if not program('tocsin'):
    skip_all('the tool is not built')
run(make)
