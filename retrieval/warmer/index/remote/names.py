"""Which collections of a server may be searched."""

from warmer.errors import CollectionError
from warmer.index.remote.client import Remote
from warmer.index.remote.faults import ServerError
from warmer.index.remote.options import Options


async def visible(remote: Remote, options: Options) -> list[str]:
    """List the collections and aliases that may be searched, sorted.

    Raises:
        ServerError: The server cannot be asked.
    """
    what = "listing the collections"
    collections = await remote.call(lambda client: client.get_collections(), what=what)
    aliases = await remote.call(lambda client: client.get_aliases(), what=what)
    names = {found.name for found in collections.collections} | {found.alias_name for found in aliases.aliases}
    return sorted((names & options.allowed if options.allowed else names) - options.hidden)


async def options_of(remote: Remote, options: Options, name: str) -> Options:
    """Give the options of a collection or, where an alias has none of its own, of the collection that it means.

    Otherwise an alias would be a way around a filter.

    Raises:
        ServerError: The server cannot be asked.
    """
    if options.by_collection and name not in options.by_collection:
        listed = await remote.call(lambda client: client.get_aliases(), what="listing the aliases")
        name = next((alias.collection_name for alias in listed.aliases if alias.alias_name == name), name)
    return options.of(name)


async def no_collection(remote: Remote, options: Options, name: str) -> CollectionError:
    """Say that there is no collection of a name, and which there are."""
    try:
        listed = ", ".join(await visible(remote, options))
    except ServerError:  # a key may give access to single collections, and not to the list
        listed = ", ".join(sorted(options.allowed - {name})) or "none that can be listed"
    if not listed:
        return CollectionError(f"there is no collection that may be searched on {remote.url}")
    where = " (the setting COLLECTION_NAME)" if name == options.default else ""
    return CollectionError(f"there is no collection {name!r}{where}; there are: {listed}")
