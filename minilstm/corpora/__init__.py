"""The built-in corpora: grammars that write headlines and recipes, with a known entropy.

Imports data/ and what lies below; models know nothing of corpora.
"""
