#!/usr/bin/env python3
"""The language as it is written down, sentence by sentence, tried with the
programs that an operator has."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
import filter as tocsind
import milter_client
import samples
from tap import Skip, case, check, check_in, check_not_in, run, wait_for

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
TOCSIN = os.path.abspath(os.path.join(os.environ.get('builddir', '.'), 'tocsin'))
PAGE = os.path.join(SRC, '..', 'shared', 'design', 'policy-language.md')
BASE = '''\
list our-domains domains { "interieur.example" }
own-domains our-domains
own-networks { 10.0.0.0/8 }
trusted-relays { 127.0.0.0/8 }
'''


def tocsin(*words, cwd=None, zone='Europe/Paris', stdin=None):
    done = subprocess.run([TOCSIN, *words], cwd=cwd, capture_output=True, text=True, input=stdin,
                          env={**os.environ, 'TZ': zone}, check=False)
    return done.returncode, done.stdout + done.stderr


def checked(policy, *words):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 't.conf'), 'w', encoding='utf-8') as file:
            file.write(f'state-directory "{folder}/state"\n{BASE}{policy}\n')
        return tocsin('check', *words, '-c', 't.conf', cwd=folder)


@case('the complete example loads as printed and passes its test')
def example():
    if not os.path.exists(PAGE):
        raise Skip('the page with the example is not beside the tree')
    with open(PAGE, encoding='utf-8') as file:
        page = file.read()
    text = page[page.index('    # /etc/tocsin/tocsin.conf'):page.index('## Evaluation')]
    text = re.sub(r'(?m)^    ', '', text)
    settings, policy = re.split(r'(?m)^(?=# \S+/10-breach.policy)', text)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(SRC, 'tests/policy/example'), folder, dirs_exist_ok=True)
        for name, part in (('tocsin.conf', settings), ('policy.d/10-breach.policy', policy)):
            with open(os.path.join(folder, name), encoding='utf-8') as file:
                ours = file.read()
            check(part.split('\n', 1)[1].split() == ours.split('\n', name == 'tocsin.conf')[-1].split(), True,
                  f'{name} here is what is printed there')
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                file.write(part)
        status, text = tocsin('check', '-c', 'tocsin.conf', cwd=folder)
        check(status, 0, text)
        check(text.startswith('enforcement shadow: no rule acts'), True, f'said first: {text}')
        status, text = tocsin('test', '-c', 'tocsin.conf', cwd=folder)
        check((status, text.splitlines()[-1]), (0, '1 passed, 0 failed'), text)


@case('a bare date ends at 24:00 local time; check prints each end with its zone')
def dates():
    status, text = checked('''
list l strings { "x" until 2030-07-05, "y" until 2030-01-05T10:00:00Z }
rule a until 2030-03-05 { when subject in l then tag }
rule b shadow until 2030-07-31 { when spf == fail then tag }
rule c shadow until 2031-07-31 { when spf == pass then tag }
exempt a "why" until 2030-03-05 { when client.ip == 192.0.2.1 }
''')
    check(status, 0, text)
    for line in ('rule a ends 2030-03-06 00:00:00 CET (+0100)',
                 'shadow of rule b ends 2030-08-01 00:00:00 CEST (+0200)',
                 '  and the shadow of 1 more rule, at that time or later',
                 'exemption why ends 2030-03-06 00:00:00 CET (+0100)',
                 'entry of list l: x ends 2030-07-06 00:00:00 CEST (+0200)',
                 'entry of list l: y ends 2030-01-05 11:00:00 CET (+0100)'):
        check_in(line, text)
    check('shadow of rule c' in text, False, f'only the first of those that end later is named: {text}')


@case('what is over counts as ended, and is spoken of as past')
def ended():
    policy = """
rule a shadow until 2020-10-01 { when subject is missing then tag }
rule b until 2020-10-01 { when spf == fail then tag }
rule c shadow until 2099-10-01 { when spf == pass then tag }
rule d { when spf == softfail then tag }
"""
    status, text = checked(policy)
    check(status, 0, text)
    for line in ('warning: the shadow of a has ended: the rule is off', '4 rules (1 enforcing, 1 in shadow, 2 ended), ',
                 '  shadow of rule a ended 2020-10-02 00:00:00', '  rule b ended 2020-10-02 00:00:00',
                 '  shadow of rule c ends 2099-10-02 00:00:00'):
        check_in(line, text)
    status, text = checked(policy, '--json')
    found = json.loads(text)
    check([found[name] for name in ('enforcing', 'shadow', 'ended')], [1, 1, 2], text)
    check_in('4 rules (2 enforcing, 2 in shadow), ', checked(policy.replace('2020', '2099'))[1])


@case('warnings: what others may write, rules without a test, an empty and an absent list')
def warnings():
    with tempfile.TemporaryDirectory() as folder:
        conf = os.path.join(folder, 't.conf')
        with open(conf, 'w', encoding='utf-8') as file:
            file.write(BASE + 'list l strings from "l.txt"\n'
                       'list m strings from "m.txt" may-be-empty\nlist n strings { }\n'
                       'rule a { when subject in l or subject in m or subject in n then reject }\n')
        open(os.path.join(folder, 'l.txt'), 'w').close()
        os.chmod(conf, 0o666)
        os.chmod(os.path.join(folder, 'l.txt'), 0o664)
        status, text = tocsin('check', '--strict', '-c', conf)
        check(status, 0, text)
        for line in ('t.conf: group or others may write it', 'l.txt: group or others may write it',
                     'the list l is empty', 'list m: ', 'the list n is empty',
                     'the rule a is enforced and no test names it'):
            check_in(line, text)
        _, text = tocsin('check', '-c', conf)
        check_not_in('no test names it', text)


@case('an account that is not here is a warning in check, where it is set, and an error in tocsind -n')
def accounts():
    policy = 'user "nobody-here"\nsocket-group "none-such"\n'
    code, text = checked(policy)
    check(code, 0, text)
    check_in('t.conf:6:6: warning: there is no user "nobody-here" here; tocsind would not start\n', text)
    check_in('t.conf:7:14: warning: there is no group "none-such" here; tocsind would not start\n', text)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 't.conf'), 'w', encoding='utf-8') as file:
            file.write(policy)
        words = [os.path.join(os.path.dirname(TOCSIN), 'tocsind'), '-n', '-c', 't.conf']
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        check(done.returncode, 78, done.stderr)
        check_in('t.conf:1:6: error: there is no user "nobody-here"\n', done.stderr)
        check_in('t.conf:2:14: error: there is no group "none-such"\n', done.stderr)
    check_not_in('warning', checked('user "root"\nsocket-group "root"\n')[1])


@case('what only a filter finds out is said with all other errors, and in text that a terminal can show')
def together():
    code, text = checked('resolver { server "bananas" }\nsocket "unix:run/x"\nrule r { when sizee > 1 then tag }\n')
    check(code, 78, text)
    for wanted in ('t.conf:6:19: error: ', 't.conf:7:8: error: the socket\'s path "run/x" must begin with /',
                   't.conf:8:15: error: unknown', '3 errors'):
        check_in(wanted, text)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 't.conf'), 'wb') as file:
            file.write(b'caf\xe9 "x"\nrule r { when subject == exactly caf\xe9 then tag }\n')
        done = subprocess.run([TOCSIN, 'check', '-c', 't.conf'], cwd=folder, capture_output=True, check=False)
        check(done.returncode, 78)
        check_in('\\xE9', done.stderr.decode('utf-8'))  # or it does not decode


@case('zone:FILE begins at the folder of the file that names it')
def zones():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, 'etc'))
        for name, text in (('etc/t.conf', 'resolver { server "zone:our.zone" }\n'),
                           ('etc/our.zone', 'a.test. A 192.0.2.1\n')):
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                file.write(text)
        code, text = tocsin('check', '-c', 'etc/t.conf', cwd=folder)
        check(code, 0, text)
        os.rename(os.path.join(folder, 'etc/our.zone'), os.path.join(folder, 'our.zone'))
        code, text = tocsin('check', '-c', 'etc/t.conf', cwd=folder)
        check(code, 78, text)
        check_in('etc/t.conf:1:19: error: ', text)


def scanned(settings, body, rules):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 't.conf'), 'w', encoding='utf-8') as file:
            file.write(f'state-directory "{folder}/state"\n{BASE}{settings}\n{rules}')
        with open(os.path.join(folder, 'm.eml'), 'w', encoding='utf-8') as file:
            file.write('From: a@x.example\nTo: b@interieur.example\nSubject: s\nMIME-Version: 1.0\n'
                       f'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}\n')
        status, text = tocsin('scan', '--json', '-c', 't.conf', 'm.eml', cwd=folder)
        check(status, 0, text)
        return {rule['name'] for rule in json.loads(text.splitlines()[0])['rules']}


@case('homoglyph-fold lets rules find words in the letters that they look like')
def homoglyphs():
    rules = '''rule plain { when body.text contains "paypal account" then tag }
rule strange { when body.text contains "\u0440\u0430yp" then tag }
rule word { when body.text matches /^p[a4]ypal\\b/ then tag }
'''
    body = '\u0440\u0430yp\u0430l \u0430cc\u043eunt'  # er, a, o are Cyrillic
    check(scanned('', body, rules), {'strange'}, 'as it stands there')
    check(scanned('homoglyph-fold on', body, rules), {'plain', 'strange'}, 'in both forms')
    check(scanned('homoglyph-fold on', 'paypal account', rules), {'plain', 'word'}, 'plain text')


class Place:
    """A tocsind for the cases below."""

    def __init__(self, top, policy):
        os.makedirs(top)
        self.filter = tocsind.Filter(top, policy)

    def judged(self, ident='m1', mail=None):
        with milter_client.MilterClient(self.filter.socket, timeout=30) as client:
            client.connect('10.0.0.20', 'mail.shop.test')  # ours: no DNS is asked
            client.helo('mail.shop.test')
            return client.message('<news@shop.test>', ['<inbox@tocsin.test>'], mail or samples.clean(ident))


@case('an entry of a list ends by itself, and status and log say so')
def entries():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(os.path.join(folder, 'a'), '''list shops strings from "shops.txt"
rule shop { severity low  when mail-from.domain in shops then tag "X-Shop" "yes" }
''')
        ends = time.time() + 6
        until = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(ends))
        path = os.path.join(os.path.dirname(place.filter.policy), 'shops.txt')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'shop.test until {until}  # ticket 41\n')
        place.filter.start()
        try:
            check([value.strip() for value in place.judged().inserted('X-Shop')], ['yes'], 'before')
            done = place.filter.tool('status')
            check_in('entry of list shops: shop.test', done.stdout)
            line = 'list=shops: the entry "shop.test" has ended'
            wait_for(lambda: line in place.filter.log_text(), 15, 'a line in the log')
            check(place.judged('m2').inserted('X-Shop'), [], 'afterwards')
        finally:
            place.filter.stop()


@case('a list whose file goes away keeps its entries, and the log says so once; a new one is read')
def gone():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(os.path.join(folder, 'a'), '''list shops strings from "shops.txt"
rule shop { severity low  when mail-from.domain in shops then tag "X-Shop" "yes" }
''')
        path = os.path.join(os.path.dirname(place.filter.policy), 'shops.txt')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('shop.test\n')
        place.filter.start()
        try:
            os.unlink(path)
            line = 'shops.txt is gone; the list keeps its entries'
            wait_for(lambda: line in place.filter.log_text(), 15, 'a line in the log')
            check([value.strip() for value in place.judged().inserted('X-Shop')], ['yes'], 'while it is gone')
            time.sleep(2.5)
            check(place.filter.log_text().count(line), 1, 'lines')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('other.test\n')
            wait_for(lambda: 'list changed file=' in place.filter.log_text(), 15, 'the new file to be read')
            check(place.judged('m2').inserted('X-Shop'), [], 'afterwards')
        finally:
            place.filter.stop()


@case('what is preserved is kept without records too; evidence and log settings act after a reload')
def kept():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(os.path.join(folder, 'a'), 'rule keep { severity low  when size > 0 then preserve }\n')
        place.filter.write_conf('evidence off\n')
        place.filter.start()
        evidence = os.path.join(place.filter.state, 'evidence')

        def ends():
            return sorted(name.rsplit('.', 1)[1] for name in os.listdir(evidence))

        def verdicts():
            return [line for line in place.filter.log_text().splitlines() if 'verdict disposition=' in line]

        try:
            place.judged()
            check(ends(), ['eml', 'json'], 'what is kept')
            check_in(' action=preserve ', verdicts()[0])
            check(verdicts()[0].startswith('{'), False)
            place.filter.write_conf('evidence on\nlog-format json\nevidence-quota 1\n')
            check(place.filter.tool('reload').returncode, 0)
            place.judged('m2')
            check(ends(), ['eml', 'json', 'jsonl'], 'with records')
            check_in(' action=preserve-failed ', json.loads(verdicts()[1])['message'])
            record, = open(os.path.join(evidence, [name for name in os.listdir(evidence)
                                                   if name.endswith('.jsonl')][0]), encoding='utf-8')
            check(json.loads(record)['preserve_failed'], True)
            place.filter.write_conf('evidence on\nsyslog-facility local3\n')
            check_in('syslog-facility', place.filter.tool('reload').stdout)
        finally:
            place.filter.stop()


@case('what leaves the house names rules and indicators on demand only, and those of TLP clear or green')
def disclosed():
    marks = {'open': 'tlp clear', 'shared': 'tlp green', 'kept': 'tlp red', 'bare': ''}
    feeds = ''.join(f'feed {name} {{ source "{{folder}}/{name}.txt"  format list  status verified  {tlp} }}\n'
                    for name, tlp in marks.items())
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(os.path.join(folder, 'a'), 'rule hit { severity low  when any indicator then tag }\n')
        for name in marks:
            place.filter.write(f'{name}.txt', f'www.{name}.example\n')
        feeds = feeds.replace('{folder}', place.filter.top)
        mail = samples.message('a@shop.test', 'links', ''.join(
            f'https://www.{name}.example/\n' for name in marks), ident='m1')

        def header():
            found = place.judged(mail=mail).inserted('X-Tocsin-Result')
            check(len(found), 1, 'one header')
            return found[0].strip()
        place.filter.write_conf(feeds)
        place.filter.start()
        try:
            wait_for(lambda: 'store in force' in place.filter.log_text(), 20, 'the store')
            check(re.fullmatch(r'tag; ref=\w+', header()) is not None, True, header())
            for setting, wanted in (('rule', {'rule=hit'}), ('indicator', {'rule=hit', 'open', 'shared'})):
                place.filter.write_conf(f'{feeds}disclose {setting}\n')
                check(place.filter.tool('reload').returncode, 0, 'reload')
                text = header()
                for word in ('rule=hit', 'open', 'shared', 'kept', 'bare'):
                    check(word in text, word in wanted, f'disclose {setting}: {word} in {text}')
            log = place.filter.log_text()
            for name in marks:
                check_in(f'{name}:', log)  # the log names all
        finally:
            place.filter.stop()


@case('alerts of one rule are limited in number, and those left out are counted')
def alerts():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        place = Place(os.path.join(folder, 'a'), 'rule loud { severity low  when size > 0 then alert }\n')
        place.filter.write_conf('limits { alert-rate 3 }\n')
        place.filter.start()
        try:
            for number in range(10):
                place.judged(f'm{number}')
            lines = [line for line in place.filter.log_text().splitlines() if 'alert' in line and 'loud' in line]
            told = [line for line in lines if 'verdict' not in line]
            check(3 <= len(told) <= 6, True, '\n'.join(lines))  # two minutes at most
            counters = json.loads(place.filter.tool('status', '--json').stdout)['counters']
            check(counters['alerts-suppressed'], 10 - len(told), 'those that were left out')
        finally:
            place.filter.stop()


if __name__ == '__main__':
    run()
