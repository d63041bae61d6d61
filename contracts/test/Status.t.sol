// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Vm} from "./support/Vm.sol";

/// @dev What the three changes of a word, and their bulk forms, have in common.
abstract contract StatusTest is RegistryTest {
    uint8 internal constant REASON = 4;

    uint256 internal constant FULL = type(uint256).max;

    /// @dev Signature of the event.
    function _event() internal pure virtual returns (string memory);

    /// @dev Brings an anchored root into the state in which every bit below its size can change.
    function _prepare(bytes32 root) internal virtual;

    /// @dev The call, without a prank.
    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask) internal virtual;

    /// @dev The standing of an index after its bit changed.
    function _after() internal pure virtual returns (ICredentialRegistry.Standing);

    /// @dev The standing of an index whose bit did not.
    function _before() internal pure virtual returns (ICredentialRegistry.Standing);

    function setUp() public override {
        super.setUp();
        _anchor(ROOT, SIZE);
        _prepare(ROOT);
    }

    function _suspendAll(bytes32 root) internal {
        for (uint256 word = 0; word < 3; ++word) {
            vm.prank(operator);
            registry.suspend(ISSUER, root, word, word < 2 ? FULL : (1 << 88) - 1, 0);
        }
    }

    function _change(uint256 word, uint256 mask) internal {
        vm.prank(operator);
        _call(ISSUER, ROOT, word, mask);
    }

    function _refuseBits(uint256 word, uint256 mask, uint48 size) internal {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.BitsBeyondSize.selector, word, mask, size));
    }

    function _words(address by, uint256 mask) internal pure returns (bytes memory) {
        return abi.encode(by, mask, REASON);
    }

    // -------------------------------------------------------------------------------- who may, and where

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(operator);
        _call(UNKNOWN, ROOT, 0, 1);
    }

    function test_RevertWhen_TheCallerIsAStranger() public {
        _refuseMissingRole(ISSUER, OUTSIDER, STATUS);
        vm.prank(OUTSIDER);
        _call(ISSUER, ROOT, 0, 1);
    }

    function test_RevertWhen_TheCallerHasTheAnchorRoleOnly() public {
        _refuseMissingRole(ISSUER, ANCHORER, STATUS);
        vm.prank(ANCHORER);
        _call(ISSUER, ROOT, 0, 1);
    }

    function test_RevertWhen_TheCallerIsTheOwner() public {
        _refuseMissingRole(ISSUER, OWNER, STATUS);
        vm.prank(OWNER);
        _call(ISSUER, ROOT, 0, 1);
    }

    function test_RevertWhen_TheCallerWorksForAnotherIssuer() public {
        _refuseMissingRole(ISSUER, OTHER_OPERATOR, STATUS);
        vm.prank(OTHER_OPERATOR);
        _call(ISSUER, ROOT, 0, 1);
    }

    function test_RevertGiven_TheRoleOfTheCallerEnded() public {
        _setOperator(operator, ANCHOR);
        _refuseMissingRole(ISSUER, operator, STATUS);
        _change(0, 1);
    }

    function test_RevertGiven_TheCallerIsCompromised() public {
        _compromise(operator, START);
        _refuseKeyCompromised(operator, START);
        _change(0, 1);
    }

    function test_RevertGiven_TheRootIsNotAnchored() public {
        _refuseNotAnchored(ISSUER, keccak256("nothing"));
        vm.prank(operator);
        _call(ISSUER, keccak256("nothing"), 0, 1);
    }

    function test_RevertGiven_OnlyAnotherIssuerAnchoredTheRoot() public {
        _refuseNotAnchored(OTHER, ROOT);
        vm.prank(OTHER_OPERATOR);
        _call(OTHER, ROOT, 0, 1);
    }

    // ---------------------------------------------------------------------------------------- which bits

    function test_RevertWhen_TheWordIsBeyondTheSize() public {
        _refuseBits(3, 1, SIZE);
        _change(3, 1);
    }

    function test_RevertWhen_TheWordIsTheLargestNumber() public {
        _refuseBits(FULL, 1, SIZE);
        _change(FULL, 1);
    }

    function test_RevertWhen_TheFirstBitBeyondTheSizeIsIn() public {
        _refuseBits(2, 1 << 88, SIZE);
        _change(2, 1 << 88);
    }

    function test_RevertWhen_BitsOnBothSidesOfTheSizeAreIn() public {
        _refuseBits(2, FULL, SIZE);
        _change(2, FULL);
    }

    function test_RevertWhen_TheSizeEndsWithTheWordBefore() public {
        _anchor(keccak256("two words"), 512);
        _refuseBits(2, 1, 512);
        vm.prank(operator);
        _call(ISSUER, keccak256("two words"), 2, 1);
    }

    function test_RevertGiven_TheRootIsBare() public {
        _anchorBare(keccak256("bare"));
        _refuseBits(0, 1, 0);
        vm.prank(operator);
        _call(ISSUER, keccak256("bare"), 0, 1);
    }

    function test_RevertWhen_TheMaskIsZero() public {
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _change(0, 0);
    }

    function test_RevertWhen_TheBitsAreAsAskedAlready() public {
        _change(0, 7);
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _change(0, 5);
    }

    // ---------------------------------------------------------------------------------------- what happens

    function test_WhenOneBitChanges() public {
        _watch(ISSUER);
        vm.prank(KEEPER);
        _call(ISSUER, ROOT, 1, 1 << 3);
        _expectLog4(ISSUER, _event(), ROOT, bytes32(uint256(1)), _words(KEEPER, 1 << 3));
        _expectStatus(ROOT, 256 + 2, _before());
        _expectStatus(ROOT, 256 + 3, _after());
        _expectStatus(ROOT, 256 + 4, _before());
        _expectStatus(ROOT, 3, _before());
    }

    function test_WhenTheWordIsTheFirst() public {
        _watch(ISSUER);
        _change(0, 1);
        _expectLog4(ISSUER, _event(), ROOT, 0, _words(operator, 1));
        _expectStatus(ROOT, 0, _after());
        _expectStatus(ROOT, 1, _before());
    }

    function test_WhenSomeBitsAreAsAskedAlready() public {
        _change(1, 5);
        _watch(ISSUER);
        _change(1, 7);
        _expectLog4(ISSUER, _event(), ROOT, bytes32(uint256(1)), _words(operator, 2));
        _expectStatus(ROOT, 256, _after());
        _expectStatus(ROOT, 257, _after());
        _expectStatus(ROOT, 258, _after());
    }

    function test_WhenAllBitsOfAWordChange() public {
        _watch(ISSUER);
        _change(1, FULL);
        _expectLog4(ISSUER, _event(), ROOT, bytes32(uint256(1)), _words(operator, FULL));
        _expectStatus(ROOT, 255, _before());
        _expectStatus(ROOT, 256, _after());
        _expectStatus(ROOT, 511, _after());
        _expectStatus(ROOT, 512, _before());
    }

    function test_WhenTheLastBitBelowTheSizeChanges() public {
        _watch(ISSUER);
        _change(2, 1 << 87);
        _expectLog4(ISSUER, _event(), ROOT, bytes32(uint256(2)), _words(operator, 1 << 87));
        _expectStatus(ROOT, 599, _after());
    }

    function test_GivenAnotherIssuerAnchoredTheSameRoot() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE);
        bytes32 head = registry.headOf(OTHER);
        _change(0, 1);
        assertEq(registry.headOf(OTHER), head, "head of the other issuer");
        assertEq(
            uint256(registry.statusOf(OTHER, ROOT, 0)),
            uint256(ICredentialRegistry.Standing.Active),
            "status at the other issuer"
        );
    }

    function test_GivenTheBatchIsRevoked() public {
        vm.prank(operator);
        registry.revokeBatch(ISSUER, ROOT, REASON);
        _watch(ISSUER);
        _change(0, 1);
        _expectLog4(ISSUER, _event(), ROOT, 0, _words(operator, 1));
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }
}

contract RevokeTest is StatusTest {
    function _event() internal pure override returns (string memory) {
        return "Revoked(uint256,bytes32,uint256,address,uint256,uint8,uint40,bytes32)";
    }

    function _prepare(bytes32) internal pure override {}

    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask) internal virtual override {
        registry.revoke(issuer, root, word, mask, REASON);
    }

    function _after() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Revoked;
    }

    function _before() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Active;
    }

    function test_GivenTheIndexIsSuspended() public {
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 0, 1, REASON);
        _change(0, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }
}

contract SuspendTest is StatusTest {
    function _event() internal pure override returns (string memory) {
        return "Suspended(uint256,bytes32,uint256,address,uint256,uint8,uint40,bytes32)";
    }

    function _prepare(bytes32) internal pure override {}

    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask) internal virtual override {
        registry.suspend(issuer, root, word, mask, REASON);
    }

    function _after() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Suspended;
    }

    function _before() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Active;
    }

    function test_GivenTheIndexWasReinstated() public {
        _change(0, 3);
        vm.prank(operator);
        registry.reinstate(ISSUER, ROOT, 0, 1, REASON);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Active);
        _change(0, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Suspended);
    }
}

contract ReinstateTest is StatusTest {
    function _event() internal pure override returns (string memory) {
        return "Reinstated(uint256,bytes32,uint256,address,uint256,uint8,uint40,bytes32)";
    }

    function _prepare(bytes32 root) internal override {
        _suspendAll(root);
    }

    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask) internal virtual override {
        registry.reinstate(issuer, root, word, mask, REASON);
    }

    function _after() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Active;
    }

    function _before() internal pure override returns (ICredentialRegistry.Standing) {
        return ICredentialRegistry.Standing.Suspended;
    }

    function test_GivenTheIndexIsRevoked() public {
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 0, 1, REASON);
        _change(0, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }
}

/// @dev The bulk forms do what the single ones do, word by word; here once more with one word, and then with many.
abstract contract ManyTest is StatusTest {
    function _callMany(uint256[] memory words, uint256[] memory masks) internal virtual;

    function test_RevertWhen_TheLengthsDiffer() public {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.LengthsDiffer.selector, 2, 3));
        _changeMany(new uint256[](2), new uint256[](3));
    }

    function test_RevertWhen_ThereAreNoWords() public {
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _changeMany(new uint256[](0), new uint256[](0));
    }

    function test_RevertWhen_OneOfTheWordsChangesNothing() public {
        _change(1, 1);
        (uint256[] memory words, uint256[] memory masks) = _three();
        masks[1] = 1;
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _changeMany(words, masks);
        _expectStatus(ROOT, 0, _before());
    }

    function test_RevertWhen_OneOfTheWordsIsBeyondTheSize() public {
        (uint256[] memory words, uint256[] memory masks) = _three();
        masks[2] = FULL;
        _refuseBits(2, FULL, SIZE);
        _changeMany(words, masks);
        _expectStatus(ROOT, 0, _before());
    }

    function test_WhenThereAreManyWords() public {
        (uint256[] memory words, uint256[] memory masks) = _three();
        bytes32 head = registry.headOf(ISSUER);
        vm.recordLogs();
        _changeMany(words, masks);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 3, "number of events");
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory data = _words(operator, masks[i]);
            head = _checkLog4(logs[i], head, ISSUER, _event(), ROOT, bytes32(words[i]), data);
        }
        assertEq(registry.headOf(ISSUER), head, "head in storage");
        _expectStatus(ROOT, 0, _after());
        _expectStatus(ROOT, 1, _before());
        _expectStatus(ROOT, 256, _after());
        _expectStatus(ROOT, 599, _after());
        _expectStatus(ROOT, 598, _before());
    }

    function test_WhenAWordComesTwice() public {
        uint256[] memory words = new uint256[](2);
        uint256[] memory masks = new uint256[](2);
        (masks[0], masks[1]) = (1, 3);
        bytes32 head = registry.headOf(ISSUER);
        vm.recordLogs();
        _changeMany(words, masks);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2, "number of events");
        head = _checkLog4(logs[0], head, ISSUER, _event(), ROOT, 0, _words(operator, 1));
        head = _checkLog4(logs[1], head, ISSUER, _event(), ROOT, 0, _words(operator, 2));
        assertEq(registry.headOf(ISSUER), head, "head in storage");
    }

    function _changeMany(uint256[] memory words, uint256[] memory masks) internal {
        vm.prank(operator);
        _callMany(words, masks);
    }

    function _three() internal pure returns (uint256[] memory words, uint256[] memory masks) {
        words = new uint256[](3);
        masks = new uint256[](3);
        (words[0], words[1], words[2]) = (0, 1, 2);
        (masks[0], masks[1], masks[2]) = (1, FULL, 1 << 87);
    }

    function _one(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }
}

contract RevokeManyTest is RevokeTest, ManyTest {
    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask)
        internal
        override(RevokeTest, StatusTest)
    {
        registry.revokeMany(issuer, root, _one(word), _one(mask), REASON);
    }

    function _callMany(uint256[] memory words, uint256[] memory masks) internal override {
        registry.revokeMany(ISSUER, ROOT, words, masks, REASON);
    }
}

contract SuspendManyTest is SuspendTest, ManyTest {
    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask)
        internal
        override(SuspendTest, StatusTest)
    {
        registry.suspendMany(issuer, root, _one(word), _one(mask), REASON);
    }

    function _callMany(uint256[] memory words, uint256[] memory masks) internal override {
        registry.suspendMany(ISSUER, ROOT, words, masks, REASON);
    }
}

contract ReinstateManyTest is ReinstateTest, ManyTest {
    function _call(uint256 issuer, bytes32 root, uint256 word, uint256 mask)
        internal
        override(ReinstateTest, StatusTest)
    {
        registry.reinstateMany(issuer, root, _one(word), _one(mask), REASON);
    }

    function _callMany(uint256[] memory words, uint256[] memory masks) internal override {
        registry.reinstateMany(ISSUER, ROOT, words, masks, REASON);
    }
}

contract RevokeBatchTest is RegistryTest {
    uint8 private constant REASON = 1;

    string private constant BATCH_REVOKED = "BatchRevoked(uint256,bytes32,address,uint8,uint40,bytes32)";

    function setUp() public override {
        super.setUp();
        _anchor(ROOT, SIZE);
    }

    function test_RevertGiven_TheIssuerIsUnknown() public {
        _refuseUnknownIssuer(UNKNOWN);
        vm.prank(operator);
        registry.revokeBatch(UNKNOWN, ROOT, REASON);
    }

    function test_RevertWhen_TheCallerIsAStranger() public {
        _refuseMissingRole(ISSUER, OUTSIDER, STATUS);
        vm.prank(OUTSIDER);
        registry.revokeBatch(ISSUER, ROOT, REASON);
    }

    function test_RevertWhen_TheCallerHasTheAnchorRoleOnly() public {
        _refuseMissingRole(ISSUER, ANCHORER, STATUS);
        vm.prank(ANCHORER);
        registry.revokeBatch(ISSUER, ROOT, REASON);
    }

    function test_RevertWhen_TheCallerIsTheOwner() public {
        _refuseMissingRole(ISSUER, OWNER, STATUS);
        vm.prank(OWNER);
        registry.revokeBatch(ISSUER, ROOT, REASON);
    }

    function test_RevertGiven_TheCallerIsCompromised() public {
        _compromise(operator, START);
        _refuseKeyCompromised(operator, START);
        vm.prank(operator);
        registry.revokeBatch(ISSUER, ROOT, REASON);
    }

    function test_RevertGiven_TheRootIsNotAnchored() public {
        _refuseNotAnchored(ISSUER, keccak256("nothing"));
        vm.prank(operator);
        registry.revokeBatch(ISSUER, keccak256("nothing"), REASON);
    }

    function test_RevertGiven_TheBatchIsRevoked() public {
        _revokeBatch(ROOT);
        _refuse(ICredentialRegistry.NothingChanges.selector);
        _revokeBatch(ROOT);
    }

    function test_GivenTheRootIsAnchored() public {
        _watch(ISSUER);
        _revokeBatch(ROOT);
        _expectLog3(ISSUER, BATCH_REVOKED, ROOT, abi.encode(KEEPER, REASON));
        _expectAnchor(ISSUER, ROOT, operator, START, SIZE, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
        _expectStatus(ROOT, 599, ICredentialRegistry.Standing.Revoked);
    }

    function test_GivenTheRootIsBare() public {
        _anchorBare(keccak256("bare"));
        _watch(ISSUER);
        _revokeBatch(keccak256("bare"));
        _expectLog3(ISSUER, BATCH_REVOKED, keccak256("bare"), abi.encode(KEEPER, REASON));
        _expectAnchor(ISSUER, keccak256("bare"), operator, START, 0, 1);
        _expectStatus(keccak256("bare"), type(uint256).max, ICredentialRegistry.Standing.Revoked);
    }

    function test_GivenAnotherIssuerAnchoredTheSameRoot() public {
        vm.prank(OTHER_OPERATOR);
        registry.anchor(OTHER, ROOT, SIZE);
        _revokeBatch(ROOT);
        _expectAnchor(OTHER, ROOT, OTHER_OPERATOR, START, SIZE, 0);
    }

    function _revokeBatch(bytes32 root) private {
        vm.prank(KEEPER);
        registry.revokeBatch(ISSUER, root, REASON);
    }
}

contract StatusOfTest is RegistryTest {
    function test_GivenTheRootIsNotAnchored() public view {
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.NotAnchored);
    }

    function test_WhenTheIndexIsTheSize() public {
        _anchor(ROOT, SIZE);
        _expectStatus(ROOT, SIZE - 1, ICredentialRegistry.Standing.Active);
        _expectStatus(ROOT, SIZE, ICredentialRegistry.Standing.BadIndex);
    }

    function test_WhenTheIndexIsTheLargestNumber() public {
        _anchor(ROOT, SIZE);
        _expectStatus(ROOT, type(uint256).max, ICredentialRegistry.Standing.BadIndex);
    }

    function test_GivenTheAnchorIsUntrusted() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 0, 1, 1);
        _loseTrust();
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Compromised);
        _expectStatus(ROOT, 1, ICredentialRegistry.Standing.Compromised);
        _expectStatus(ROOT, SIZE, ICredentialRegistry.Standing.BadIndex);
    }

    function test_GivenTheAnchorIsOlderThanTheCompromise() public {
        _anchor(ROOT, SIZE);
        vm.warp(START + 60);
        _compromise(operator, START + 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Active);
    }

    function test_GivenTheIndexIsRevoked() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 1, 1 << 255, 1);
        _expectStatus(ROOT, 511, ICredentialRegistry.Standing.Revoked);
        _expectStatus(ROOT, 510, ICredentialRegistry.Standing.Active);
        _expectStatus(ROOT, 255, ICredentialRegistry.Standing.Active);
    }

    function test_GivenTheIndexIsSuspended() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 0, 1 << 255, 1);
        _expectStatus(ROOT, 255, ICredentialRegistry.Standing.Suspended);
        _expectStatus(ROOT, 254, ICredentialRegistry.Standing.Active);
    }

    function test_GivenTheIndexIsRevokedAndSuspended() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 0, 1, 1);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 0, 1, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }

    function test_GivenTheIndexIsSuspendedAndTheBatchRevoked() public {
        _anchor(ROOT, SIZE);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 0, 1, 1);
        vm.prank(operator);
        registry.revokeBatch(ISSUER, ROOT, 1);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Revoked);
    }

    function test_GivenTheRootIsBare() public {
        _anchorBare(ROOT);
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Active);
        _expectStatus(ROOT, type(uint256).max, ICredentialRegistry.Standing.Active);
    }

    function test_GivenTheBareRootIsUntrusted() public {
        _anchorBare(ROOT);
        _loseTrust();
        _expectStatus(ROOT, 0, ICredentialRegistry.Standing.Compromised);
    }
}

contract StatusFuzzTest is RegistryTest {
    /// @dev A mask passes exactly when it has a bit, and all its bits are of indexes below the size.
    function testFuzz_BitsBelowTheSizePassAndNoOthers(uint48 size, uint256 word, uint256 mask) public {
        size = uint48(1 + size % 2000);
        word %= 10;
        _anchor(ROOT, size);
        uint256 allowed = 0;
        for (uint256 bit = 0; bit < 256; ++bit) {
            if (word * 256 + bit < size) allowed |= uint256(1) << bit;
        }
        vm.prank(operator);
        try registry.revoke(ISSUER, ROOT, word, mask, 0) {
            assertTrue(mask != 0 && mask & ~allowed == 0, "passed");
        } catch (bytes memory reason) {
            assertTrue(mask == 0 || mask & ~allowed != 0, "refused");
            bytes4 expected = mask == 0
                ? ICredentialRegistry.NothingChanges.selector
                : ICredentialRegistry.BitsBeyondSize.selector;
            // forge-lint: disable-next-line(unsafe-typecast) the value is bounded to fit
            assertTrue(bytes4(reason) == expected, "reason");
        }
    }

    /// @dev The bits of a word after any three changes, against plain set operations.
    function testFuzz_WordsFollowTheSetOperations(uint256 first, uint256 second, uint256 third) public {
        vm.assume(first != 0 && second & first != 0 && third != 0);
        _anchor(ROOT, 256);
        vm.prank(operator);
        registry.suspend(ISSUER, ROOT, 0, first, 0);
        vm.prank(operator);
        registry.reinstate(ISSUER, ROOT, 0, second, 0);
        vm.prank(operator);
        registry.revoke(ISSUER, ROOT, 0, third, 0);
        uint256 suspended = first & ~second;
        for (uint256 i = 0; i < 256; i += 5) {
            ICredentialRegistry.Standing standing = (third >> i) & 1 == 1
                ? ICredentialRegistry.Standing.Revoked
                : (suspended >> i) & 1 == 1
                    ? ICredentialRegistry.Standing.Suspended
                    : ICredentialRegistry.Standing.Active;
            _expectStatus(ROOT, i, standing);
        }
    }
}
