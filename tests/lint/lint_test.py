#!/usr/bin/env python3
"""What the house asks of its code, held by machine.

    layers          LAYERS says which folder may include which
    headers         every header compiles alone; headers do not include in a circle
    names           what an object exports carries its file's stem
    layout          clang-format changes nothing
    calls           nothing that runs a shell, guesses a file name or overruns
    size            no function over 100 lines (those over 60 are listed)
    cppcheck, shellcheck, Python syntax, machine paths, open ends

A tool that is not installed skips its case. CASES=layers runs one case.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from tap import Skip, case, check, diag, run

SRC = os.environ.get('srcdir', os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..')))
BUILD = os.environ.get('builddir', os.path.join(SRC, 'build'))
JOBS = os.cpu_count() or 2

POLICY = {'base', 'indicator', 'language'}
READING = {'base', 'message', 'dns'}
JUDGING = POLICY | READING | {'auth', 'scanner'}
LAYERS = {
    'policy/base': {'base'},
    'policy/indicator': {'base', 'indicator'},
    'policy/language': POLICY,
    'milter/message': {'base', 'message'},
    'milter/dns': {'base', 'dns'},
    'milter/auth': READING | {'auth'},
    'milter/scanner': READING | {'scanner'},
    'milter/evidence': JUDGING | {'evidence'},
    'milter/outcome': JUDGING | {'evidence', 'outcome'},
    'milter/session': JUDGING | {'evidence', 'outcome', 'session'},
    'milter/daemon': JUDGING | {'evidence', 'outcome', 'session', 'daemon'},
    'milter/tool': JUDGING | {'evidence', 'outcome', 'session', 'daemon', 'tool'},
}

# Calls that have no place here, and why.
CALLS = {
    'system': 'runs a shell', 'popen': 'runs a shell', 'wordexp': 'runs a shell',
    'execl': 'no program is run', 'execlp': 'no program is run', 'execle': 'no program is run',
    'execv': 'no program is run', 'execvp': 'no program is run', 'execvpe': 'no program is run',
    'execve': 'no program is run', 'fexecve': 'no program is run', 'posix_spawn': 'no program is run',
    'mktemp': 'a name that can be guessed', 'tmpnam': 'a name that can be guessed',
    'tempnam': 'a name that can be guessed', 'tmpfile': 'a file outside our folders',
    'gets': 'no bound', 'strcpy': 'no bound', 'strcat': 'no bound', 'sprintf': 'no bound', 'vsprintf': 'no bound',
    'strtok': 'hidden state', 'alloca': 'no bound', 'assert': 'never on input; see tc_status',
}
# Stems that a file exports beside its own.
ALSO_EXPORTS = {
    'slice': ('ascii',), 'signature': ('signed_headers',), 'match': ('matcher',), 'json_split': ('json',),
    'store': ('format',), 'overlay': ('feed_local',),
}
# The one place that may start a program: the supervisor starts itself anew.
CALLS_ALLOWED = {'milter/daemon/supervise.c': {'execv', 'execve', 'fexecve'}}


def walk(*suffixes, below=('policy', 'milter', 'tests', 'packaging')):
    """Paths relative to the source tree."""
    found = []
    for top in below:
        for folder, folders, files in os.walk(os.path.join(SRC, top)):
            folders[:] = sorted(f for f in folders if f not in ('__pycache__', 'build-aux', 'm4', 'corpus', '.deps'))
            found += [os.path.relpath(os.path.join(folder, name), SRC) for name in sorted(files)
                      if not suffixes or name.endswith(suffixes)]
    return found


def read(path):
    with open(os.path.join(SRC, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def code_only(text):
    """The text with comments and strings blanked, lines kept."""
    def blank(found):
        return re.sub(r'[^\n]', ' ', found[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def none_wrong(found):
    for line in found[:200]:
        diag(line)
    check(len(found), 0, 'findings')


def tool(*names):
    for name in names:
        if shutil.which(name):
            return name
    raise Skip(f'{names[0]} is not installed')


def includes(path):
    return [(number, line.split('"')[1]) for number, line in enumerate(read(path).splitlines(), 1)
            if re.match(r'#\s*include\s+"', line)]


@case('layers: a folder includes only what lies below it')
def layers():
    found = []
    for path in walk('.c', '.h', below=('policy', 'milter')):
        room = '/'.join(path.split('/')[:2])
        if room not in LAYERS:
            found.append(f'{path}: the folder is not in the table of layers')
            continue
        for number, name in includes(path):
            if name.split('/')[0] not in LAYERS[room] or name.count('/') != 1:
                found.append(f'{path}:{number}: {room} may not include "{name}"')
    none_wrong(found)


@case('headers: none includes itself by way of others')
def circles():
    headers = {path.split('/', 1)[1]: [name for _, name in includes(path)]
               for path in walk('.h', below=('policy', 'milter'))}
    found, done = [], set()

    def visit(name, way):
        if name in way:
            found.append(' -> '.join(way[way.index(name):] + [name]))
            return
        if name in done:
            return
        for other in headers.get(name, []):
            visit(other, way + [name])
        done.add(name)
    for name in headers:
        visit(name, [])
    none_wrong(found)


@case('headers: each compiles alone')
def alone():
    compiler = tool('gcc', 'clang', 'cc')

    def compile_one(path):
        name = path.split('/', 1)[1] if not path.startswith('tests/') else path
        done = subprocess.run(
            [compiler, '-std=gnu17', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-DPKGDATADIR=""', '-DSTATEDIR=""',
             '-DSYSCONFDIR=""', f'-I{BUILD}', f'-I{SRC}/policy', f'-I{SRC}/milter', f'-I{SRC}/tests', f'-I{SRC}',
             '-x', 'c', '-'], input=f'#include <config.h>\n#include "{name}"\nextern int lint_unit;\n',
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return f'{path}: {done.stdout.strip()[:400]}' if done.returncode else None
    headers = walk('.h', below=('policy', 'milter'))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        none_wrong([line for line in pool.map(compile_one, headers) if line])


@case('headers: each says what it is for and is included once')
def documented():
    found = []
    for path in walk('.h', below=('policy', 'milter')):
        text = read(path)
        if not text.startswith('/*'):
            found.append(f'{path}:1: does not begin with what it is for')
        if '#ifndef' not in text and '#pragma once' not in text:
            found.append(f'{path}:1: has no include guard')
    none_wrong(found)


@case('sources: each includes <config.h> before anything else')
def config_first():
    found = []
    for path in walk('.c', below=('policy', 'milter')):
        first = re.search(r'#\s*include\s+(\S+)', read(path))
        if first and first[1] != '<config.h>':
            found.append(f'{path}: includes {first[1]} first')
    none_wrong(found)


@case('names: what an object exports carries the stem of its file or its folder')
def stems():
    nm = tool('nm', 'llvm-nm')
    found, rooms = [], {}
    for path in walk('.c', below=('policy', 'milter')):
        _, room, file = path.rsplit('/', 2)
        rooms.setdefault(file[:-2], []).append(room)
    for library in ('libpolicy.a', 'libtocsin.a'):
        path = os.path.join(BUILD, library)
        if not os.path.exists(path):
            raise Skip(f'{library} is not built')
        listing = subprocess.run([nm, '-g', '--defined-only', path], stdout=subprocess.PIPE, text=True, check=True)
        stem = ''
        for line in listing.stdout.splitlines():
            if line.endswith('.o:'):
                stem = line[:-3].split('_a-', 1)[-1]
                continue
            words = line.split()
            if len(words) != 3 or words[2].startswith('__'):
                continue
            name = words[2]
            # dmarc_record.c may hold what dmarc.h promises, stix_judge.c what all of stix_* shares.
            parts = stem.split('_')
            parents = ['_'.join(parts[:count]) for count in range(1, len(parts))]
            prefixes = (stem, *rooms.get(stem, ()), *ALSO_EXPORTS.get(stem, ()), *parents)
            if not any(name == prefix or name.startswith(prefix + '_') for prefix in prefixes):
                found.append(f'{library}({stem}.o): exports {name}')
    none_wrong(found)


@case('layout: clang-format changes nothing')
def layout():
    formatter = tool('clang-format-14', 'clang-format')

    def one(path):
        done = subprocess.run([formatter, '--dry-run', '-Werror', f'--style=file:{SRC}/.clang-format', path], cwd=SRC,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return (done.stdout.splitlines() or [path])[0] if done.returncode else None
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        none_wrong([line for line in pool.map(one, walk('.c', '.h')) if line])


@case('calls: nothing runs a shell, guesses a file name or has no bound')
def calls():
    pattern = re.compile(r'(?<![\w.>])(' + '|'.join(CALLS) + r')\s*\(')
    found = []
    for path in walk('.c', '.h', below=('policy', 'milter')):
        text = read(path)
        raw = text.splitlines()
        for number, line in enumerate(code_only(text).splitlines(), 1):
            for name in pattern.findall(line):
                # Copying a literal is bounded by what is written there.
                literal = name == 'strcpy' and '"' in raw[number - 1]
                if not literal and name not in CALLS_ALLOWED.get(path, ()):
                    found.append(f'{path}:{number}: {name}(): {CALLS[name]}')
    none_wrong(found)


@case('names of files: no fixed name in a shared folder')
def shared_folders():
    pattern = re.compile(r'["\'\s=](/tmp|/var/tmp|/dev/shm)/\w')
    found = []
    for path in walk('.c', '.h', '.py', '.sh', '.conf', '.in', '.mk', '.service'):
        if path == 'tests/lint/lint_test.py' or path.startswith('tests/unit/'):
            continue  # units name paths that they never open
        text = re.sub(r'/\*.*?\*/', '', read(path), flags=re.S) if path.endswith(('.c', '.h')) else read(path)
        found += [f'{path}: {hit[0].strip()}' for hit in pattern.finditer(text)]
    none_wrong(found)


def functions(path):
    """(name, first line, lines) of every function of a C file."""
    name, start = None, None
    for number, line in enumerate(code_only(read(path)).splitlines(), 1):
        opened = re.match(r'(?:[a-z_][\w\s*]*\s\*?)?(\w+)\(', line)
        if opened and start is None:
            name = opened[1]
        if line.startswith('{') and name:
            start = number
        elif line.startswith('}') and start:
            yield name, start, number - start + 1
            name, start = None, None


@case('size: no function is longer than 100 lines')
def size():
    found, count, long_ones = [], 0, []
    for path in walk('.c', below=('policy', 'milter')):
        for name, start, lines in functions(path):
            count += 1
            if lines > 100:
                found.append(f'{path}:{start}: {name}() has {lines} lines')
            elif lines > 60:
                long_ones.append(f'{path}:{start}: {name}() has {lines} lines')
    diag(f'{count} functions, {len(long_ones)} of more than 60 lines')
    for line in long_ones:
        diag(line)
    none_wrong(found)


@case('cppcheck finds nothing')
def cppcheck():
    tool('cppcheck')
    files = walk('.c', below=('policy', 'milter'))
    if not files:
        raise Skip('no sources')
    done = None
    try:
        done = subprocess.run(
            ['cppcheck', '--quiet', f'-j{JOBS}', '--std=c11', '--enable=warning,portability', '--inline-suppr',
             '--error-exitcode=1', '--max-configs=1', '--suppress=missingIncludeSystem',
             '--suppress=checkersReport', '--suppress=internalAstError',
             '--suppress=unknownMacro',
             '--template={file}:{line}: {id}: {message}', f'-I{SRC}/policy', f'-I{SRC}/milter',
             f'-I{BUILD}', *files],
            cwd=SRC, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=float(os.environ.get('CPPCHECK_SECONDS', 240)))
    except subprocess.TimeoutExpired:
        raise Skip('no end in the time given by CPPCHECK_SECONDS') from None
    if done.returncode:
        none_wrong(done.stdout.splitlines())


def scripts():
    for path in walk():
        with open(os.path.join(SRC, path), 'rb') as file:
            first = file.readline(64)
        if re.match(rb'#!\s*(/usr/bin/env )?\S*\b(ba|da)?sh\b', first):
            yield path
    for path in ('.ci/run',):
        if os.path.exists(os.path.join(SRC, path)):
            yield path


@case('shellcheck finds nothing')
def shellcheck():
    tool('shellcheck')
    found = list(scripts())
    if not found:
        raise Skip('no shell scripts')
    done = subprocess.run(['shellcheck', '-x', '-f', 'gcc', *found], cwd=SRC, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        none_wrong(done.stdout.splitlines())


@case('every Python file compiles and keeps to 120 columns')
def python():
    found = []
    for path in walk('.py'):
        text = read(path)
        try:
            compile(text, path, 'exec')
        except SyntaxError as problem:
            found.append(f'{path}:{problem.lineno}: {problem.msg}')
        found += [f'{path}:{number}: {len(line)} columns' for number, line in enumerate(text.splitlines(), 1)
                  if len(line) > 120]
    none_wrong(found)


@case('no path of a machine that this was written on')
def machine_paths():
    pattern = re.compile(r'(?<![\w.$}/-])/(?:work|home|root|Users)/[\w.]+')
    found = []
    for path in [*walk(), 'README.md', 'Makefile.am', 'configure.ac']:
        if path == 'tests/lint/lint_test.py':
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if pattern.search(line):
                found.append(f'{path}:{number}: {line.strip()[:120]}')
    none_wrong(found)


@case('the manual explains every setting, and no other')
def settings_in_manual():
    source = 'policy/language/settings.c'
    if not os.path.exists(os.path.join(SRC, source)):
        raise Skip('there is no table of settings')
    text = read(source)
    table = text[text.index('settings_table[] = {'):]
    table = table[:table.index('\n};')]
    known = set(re.findall(r'(?:\(|\{ )(?:NULL|"[a-z]+"), "([a-z-]+)"', table)) | set(
        re.findall(r'LIST\("([a-z-]+)"', table))
    page = read('packaging/man/tocsin.conf.5')
    page = page[page.index('.Sh SETTINGS'):page.index('.Sh LISTS')]
    explained = set(re.findall(r'^\.It Ic ([a-z-]+)', page, re.M))
    none_wrong([f'{name}: is not in tocsin.conf.5' for name in sorted(known - explained)]
               + [f'{name}: is in tocsin.conf.5 only' for name in sorted(explained - known)])


@case('the manuals name every option of tocsind and every command of tocsin')
def commands_in_manual():
    found = []
    options = os.path.join(SRC, 'milter/daemon/options.c')
    if os.path.exists(options):
        page = read('packaging/man/tocsind.8')
        for letter in sorted(set(re.findall(r'^\s*case \'(\w)\':', read('milter/daemon/options.c'), re.M)) - {'h'}):
            if f'.It Fl {letter}' not in page:
                found.append(f'tocsind.8: -{letter}')
    page = read('packaging/man/tocsin.1')
    for path in walk('.c', below=('milter/tool',)):
        name = os.path.basename(path)
        if name.startswith('tool_') and f'.It Ic {name[5:-2]}' not in page:
            found.append(f'tocsin.1: {name[5:-2]}')
    none_wrong(found)


@case('every test script is one that make check or make check-long runs')
def test_scripts():
    listed = ' '.join(read(path) for path in walk('.mk', below=('tests',))).split()
    none_wrong([path for path in walk('_test.py', below=('tests',)) if path not in listed])


@case('nothing is left open')
def open_ends():
    pattern = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X)\b')
    found = []
    for path in walk('.c', '.h', '.py', '.am', '.mk', '.policy', '.conf', '.in'):
        found += [f'{path}:{number}: {line.strip()[:100]}' for number, line in enumerate(read(path).splitlines(), 1)
                  if pattern.search(line)]
    none_wrong(found)


run()
